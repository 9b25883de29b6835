#include "meph2/config/distro_info.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "tests/support/refused.h"

namespace {

meph2::DistroInfo load(const std::string& file) {
  return {base::read_file(std::string(FIXTURES) + "/distro-info/" + file), file};
}

TEST(DistroInfo, UbuntuReleases) {
  const auto info = load("ubuntu.csv");
  const auto* noble = info.find("noble");
  ASSERT_NE(noble, nullptr);
  EXPECT_EQ(noble->title, "24.04 LTS");
  EXPECT_EQ(noble->codename, "Noble Numbat");
  EXPECT_EQ(noble->eol, "2029-05-31");
  EXPECT_EQ(noble->eol_esm, "2034-04-25");
  EXPECT_EQ(info.find("oracular")->eol_esm, "");
  EXPECT_EQ(info.find("nosuch"), nullptr);
}

TEST(DistroInfo, DebianReleases) {
  const auto info = load("debian.csv");
  const auto* bookworm = info.find("bookworm");
  ASSERT_NE(bookworm, nullptr);
  EXPECT_EQ(bookworm->title, "12");
  EXPECT_EQ(bookworm->codename, "Bookworm");
  EXPECT_EQ(bookworm->eol_esm, "") << "ESM is Ubuntu's";
  EXPECT_TRUE(bookworm->supported("2026-11-20")) << "LTS";
  EXPECT_TRUE(info.find("sid")->supported("2026-11-20")) << "no end in sight";
}

TEST(DistroInfo, SupportCountsStandardAndExtended) {
  const auto info = load("ubuntu.csv");
  EXPECT_TRUE(info.find("focal")->supported("2026-01-01")) << "ESM";
  EXPECT_TRUE(info.find("xenial")->supported("2026-04-23")) << "the last day of ESM";
  EXPECT_FALSE(info.find("xenial")->supported("2026-04-24")) << "legacy support does not count";
  EXPECT_FALSE(info.find("noble")->supported("2023-10-11")) << "not created yet";
  EXPECT_FALSE(info.find("oracular")->supported("2025-07-11"));
}

TEST(DistroInfo, GarbageIsAnErrorWithALine) {
  EXPECT_STREQ(support::refused([&] {
                 meph2::DistroInfo(
                     "version,codename,series,created,release,eol\n1,A,a,2020-01-01,x,soon\n",
                     "u.csv");
               }).what(),
               "u.csv:2: not a line of distro-info");
}

TEST(DistroInfo, AMissingFileSaysWhatToInstall) {
  setenv("DISTRO_INFO_DIR", "/nonexistent", 1);
  EXPECT_THAT(support::refused([&] { meph2::DistroInfo::load("ubuntu.csv"); }).what(),
              testing::HasSubstr("distro-info-data"));
  unsetenv("DISTRO_INFO_DIR");
}

}  // namespace

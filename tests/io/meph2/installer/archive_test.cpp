#include "meph2/installer/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/io/meph2/installer/world.h"
#include "tests/support/refused.h"

namespace {

using meph2::installer::ArchiveOptions;
using meph2::installer::ImageTree;
using meph2::installer::InstallerArchive;
using meph2::installer::InstallerVersion;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using world::amd64_files;
using world::file_url;
using world::InstallerWorld;

const std::vector<std::string> both{"", "-updates"};

class InstallerArchiveTest : public testing::Test {
 protected:
  InstallerArchiveTest() {
    options_.mirrors = {world::archive_url};
    options_.keyring = world_.keyring();
  }

  std::vector<InstallerVersion> read(const std::string& arch = "amd64") {
    const ImageTree tree{"ubuntu", "xenial", {"trusty", "xenial"}};
    return InstallerArchive(options_, world_.context()).versions(tree, arch, both);
  }

  /// "NAME in POCKET: PATH..., current"
  std::vector<std::string> names(const std::string& arch = "amd64") {
    std::vector<std::string> all;
    for (const auto& version : read(arch)) {
      auto line = base::cat(version.name, " in '", version.pocket, "': ", version.files.size());
      all.push_back(version.current ? line + ", current" : line);
    }
    return all;
  }

  void expect_untrusted(const std::string& reason) {
    EXPECT_THAT(support::refused(base::Errc::untrusted, [&] { read(); }), HasSubstr(reason));
  }

  InstallerWorld world_;
  ArchiveOptions options_;
};

TEST_F(InstallerArchiveTest, InReleaseNamesTheVersionsAndVouchesForThem) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  world_.offer("xenial", "amd64", "20230607+deb12u9", amd64_files);
  world_.offer("xenial", "amd64", "20230607+deb12u15", amd64_files);
  world_.make_current("xenial", "amd64", "20230607+deb12u15");
  world_.sign_suite("xenial");
  EXPECT_THAT(names(), ElementsAre("20230607+deb12u15 in '': 2, current",
                                   "20230607+deb12u9 in '': 2", "20230607 in '': 2"));
}

TEST_F(InstallerArchiveTest, DetachedSignaturesAndAnIndexDoAsWell) {
  world_.offer("xenial", "amd64", "20101020ubuntu451", amd64_files);
  world_.offer("xenial-updates", "amd64", "20101020ubuntu451.4", amd64_files);
  world_.offer("xenial-updates", "amd64", "20101020ubuntu451.30", amd64_files);
  world_.make_current("xenial", "amd64", "20101020ubuntu451");
  world_.make_current("xenial-updates", "amd64", "20101020ubuntu451.4");
  world_.sign_lists();
  world_.make_indexes();
  world_.sign_suite("xenial-proposed");
  EXPECT_THAT(names(), ElementsAre("20101020ubuntu451.30 in '-updates': 2",
                                   "20101020ubuntu451.4 in '-updates': 2, current",
                                   "20101020ubuntu451 in '': 2, current"));
}

TEST_F(InstallerArchiveTest, AListingDoesWhereTheServerHasNoIndex) {
  world_.offer("xenial", "amd64", "20101020ubuntu451", amd64_files);
  world_.sign_lists();
  EXPECT_THAT(names(), IsEmpty());
  world_.http.files[file_url("xenial/main/installer-amd64/LISTING")] =
      "20101020ubuntu451\ncurrent\n";
  EXPECT_THAT(names(), ElementsAre("20101020ubuntu451 in '': 2, current"));
}

TEST_F(InstallerArchiveTest, TheLastInstallersOfUbuntuAreLegacy) {
  world_.offer("xenial", "amd64", "20101020ubuntu614", amd64_files, "legacy-images");
  world_.sign_lists();
  world_.make_indexes();
  const auto versions = read();
  ASSERT_EQ(versions.size(), 1U);
  ASSERT_EQ(versions[0].files.size(), 2U);
  EXPECT_EQ(versions[0].files[0].path,
            "dists/xenial/main/installer-amd64/20101020ubuntu614/legacy-images/netboot/"
            "ubuntu-installer/amd64/linux");
}

TEST_F(InstallerArchiveTest, AListThatIsNotTheSignedOneIsRefused) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  world_.sign_suite("xenial");
  auto& sums =
      world_.http.files[file_url("xenial/main/installer-amd64/20230607/images/SHA256SUMS")];
  sums[0] = sums[0] == '0' ? '1' : '0';
  expect_untrusted("SHA256SUMS: sha256 is ");
  world_.http.files.erase(file_url("xenial/InRelease"));
  world_.make_indexes();
  expect_untrusted("not signed");
  world_.sign_lists();
  sums[1] = sums[1] == '0' ? '1' : '0';
  expect_untrusted("bad signature");
}

TEST_F(InstallerArchiveTest, AnotherKeyIsRefused) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  const auto other = world_.keys().make_key({.user_id = "Other <other@example.com>"});
  const auto list = file_url("xenial/main/installer-amd64/20230607/images/SHA256SUMS");
  world_.make_indexes();
  world_.http.files[list + ".gpg"] = world_.sign(other, world_.http.files[list], false);
  expect_untrusted("not in keyring");
  world_.sign_suite("xenial");
  const auto in_release = file_url("xenial/InRelease");
  world_.http.files[in_release] = world_.sign(other, "Suite: xenial\nSHA256:\n", true);
  expect_untrusted("xenial/InRelease");
}

TEST_F(InstallerArchiveTest, NothingIsVerifiedWhereTheOperatorSaysSo) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  world_.make_indexes();
  expect_untrusted("not signed");
  options_.no_verify = true;
  options_.keyring.clear();
  EXPECT_THAT(names(), ElementsAre("20230607 in '': 2, current"));
}

TEST_F(InstallerArchiveTest, Md5AloneIsTakenByPermissionOnly) {
  world_.offer("xenial", "amd64", "20230607", amd64_files, "images", io::Algorithm::md5);
  world_.sign_lists();
  world_.make_indexes();
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(world_.logged(), HasSubstr("--allow-md5 takes them"));
  options_.allow_md5 = true;
  const auto versions = read();
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].files[0].sums.md5.size(), 32U);
}

TEST_F(InstallerArchiveTest, MirrorsAreTriedInTurn) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  world_.sign_suite("xenial");
  world_.move_to("http://mirror.test/pub/ubuntu");
  EXPECT_THAT(names(), IsEmpty());
  options_.mirrors.emplace_back("http://mirror.test/pub/ubuntu/");
  auto versions = read();
  ASSERT_EQ(versions.size(), 1U);
  const InstallerArchive archive(options_, world_.context());
  auto& file = versions[0].files[0];
  archive.find_sizes({&file});
  EXPECT_EQ(file.sums.size,
            world::content_of("xenial", "amd64", "20230607", "netboot/ubuntu-installer/amd64/linux")
                .size());
  const auto wanted = archive.new_file(file, "x");
  EXPECT_EQ(wanted.mirrors.size(), 1U);
  EXPECT_THAT(wanted.origin, HasSubstr(world::archive_url));
}

TEST_F(InstallerArchiveTest, AFileOfNoSizeIsAnError) {
  world_.offer("xenial", "amd64", "20230607", amd64_files);
  world_.sign_suite("xenial");
  auto versions = read();
  auto& file = versions.at(0).files.at(0);
  world_.http.files.erase(world::archive_url + "/" + file.path);
  EXPECT_THAT(support::refused([&] {
                InstallerArchive(options_, world_.context()).find_sizes({&file});
              }).what(),
              HasSubstr("HTTP status 404"));
}

TEST_F(InstallerArchiveTest, WhatIsNoUrlIsAUsageError) {
  options_.mirrors = {"/srv/mirror"};
  EXPECT_THROW(read(), base::Error);
  options_.mirrors.clear();
  EXPECT_THROW(read(), base::Error);
}

}  // namespace

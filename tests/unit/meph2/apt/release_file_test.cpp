#include "meph2/apt/release_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/apt/archive.h"
#include "meph2/apt/version.h"
#include "tests/support/refused.h"

namespace meph2::apt {
namespace {

using testing::HasSubstr;

const std::string digest(64, 'a');

std::string release(const std::string& files) {
  return "Suite: stable\nCodename: twelve\nDate: Sat, 3 Jan 2026 09:52:30 UTC\n"
         "Valid-Until: Sat, 10 Jan 2026 09:52:30 UTC\nMD5Sum:\n 00 1 x\nSHA256:\n" +
         files;
}

void refused_release(const std::string& text, const std::string& reason) {
  EXPECT_THAT(support::refused(base::Errc::untrusted, [&] { parse_release_file(text, "r"); }),
              HasSubstr(reason));
}

TEST(ReleaseFile, ListsSizeAndDigestOfEachIndex) {
  const auto file =
      parse_release_file(release(" " + digest + "   12 main/binary-amd64/Packages.xz\n"), "r");
  EXPECT_EQ(file.suite, "stable");
  EXPECT_EQ(file.codename, "twelve");
  ASSERT_NE(file.file("main/binary-amd64/Packages.xz"), nullptr);
  EXPECT_EQ(file.file("main/binary-amd64/Packages.xz")->size, 12U);
  EXPECT_EQ(file.file("x"), nullptr);
  EXPECT_EQ(base::format_stamp(file.date), "Sat, 03 Jan 2026 09:52:30 +0000");
  EXPECT_FALSE(file.by_hash);
}

TEST(ReleaseFile, RefusesWhatIsNone) {
  refused_release("", "empty");
  refused_release("Suite: a\nSHA256:\n", "Date");
  refused_release(release(""), "lists no files");
  refused_release(release(" " + digest + " 12\n"), "DIGEST SIZE PATH");
  refused_release(release(" abc 12 x\n"), "DIGEST SIZE PATH");
  refused_release(release(" " + digest + " -1 x\n"), "DIGEST SIZE PATH");
  refused_release(release(" " + digest + " 12 ../x\n"), "..");
  refused_release(release(" " + digest + " 12 x\n " + digest + " 13 x\n"), "two contents of x");
}

TEST(ReleaseFile, HasATimeAndASuite) {
  const auto file = parse_release_file(release(" " + digest + " 12 x\n"), "r");
  const auto at = [](int day) {
    return base::parse_stamp(
               base::cat("Thu, ", day < 10 ? "0" : "", day, " Jan 2026 12:00:00 +0000"))
        .value();
  };
  EXPECT_NO_THROW(require_current(file, "stable", at(4), "r"));
  EXPECT_NO_THROW(require_current(file, "twelve", at(4), "r"));
  EXPECT_THROW(require_current(file, "testing", at(4), "r"), base::Error);
  EXPECT_THROW(require_current(file, "stable", at(11), "r"), base::Error);
  EXPECT_THROW(require_current(file, "stable", at(1), "r"), base::Error);
}

TEST(ArchivePackages, AreReadWithTheirSource) {
  const std::string rest =
      "Version: 1-2\nArchitecture: all\nFilename: pool/a.deb\nSize: 3\nSHA256: " + digest + "\n\n";
  const auto found =
      parse_packages("Package: a\nSource: b (1-1)\n" + rest + "Package: c\n" + rest, "p", {"a"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].source, "b");
  EXPECT_EQ(found[0].source_version, "1-1");
  EXPECT_EQ(found[0].expected.size, 3U);
  EXPECT_EQ(parse_packages("Package: c\n" + rest, "p", {})[0].source, "c");
  EXPECT_THAT(support::refused([&] { parse_packages("Package: c\nVersion: 1\n", "p", {}); }).what(),
              HasSubstr("p:1: package c: Version, Filename, Size and SHA256"));
}

TEST(DebianVersion, OrdersAsDpkgDoes) {
  const std::vector<std::string> ascending{
      "0.9~rc1", "0.9",        "0.9-1~deb12u1", "0.9-1",   "0.9-1+b1", "0.9-2",   "0.9-10",
      "0.9a-1",  "0.9+dfsg-1", "0.10-1",        "0.100-1", "1:0.1",    "1:0.1-1", "2:0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(version_less(ascending[i], ascending[j]), i < j)
          << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_FALSE(version_less("1.0", "0:1.0"));
  EXPECT_FALSE(version_less("0:1.0", "1.0-0"));
}

}  // namespace
}  // namespace meph2::apt

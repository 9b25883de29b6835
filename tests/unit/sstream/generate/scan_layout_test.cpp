#include "sstream/generate/scan_layout.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using sstream::ScanLayout;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Values = std::map<std::string, std::string>;

std::string misuse(const std::function<void()>& work) {
  return support::refused(base::Errc::usage, [&] { work(); });
}

TEST(ScanLayout, FitsPathsComponentByComponent) {
  const ScanLayout layout("{release}/{arch}/{version}/{item}", "--layout");
  EXPECT_EQ(
      layout.match("noble/amd64/20260101/squashfs"),
      (Values{
          {"release", "noble"}, {"arch", "amd64"}, {"version", "20260101"}, {"item", "squashfs"}}));
  EXPECT_FALSE(layout.match("noble/amd64/20260101"));
  EXPECT_FALSE(layout.match("noble/amd64/20260101/a/b"));
  EXPECT_FALSE(layout.match("noble//20260101/a"));
}

TEST(ScanLayout, NamesTakeAsLittleAsFits) {
  const ScanLayout layout("img/{os}-{version}.{ftype}", "--layout");
  EXPECT_EQ(layout.match("img/debian-12-20260101.tar.xz"),
            (Values{{"os", "debian"}, {"version", "12-20260101"}, {"ftype", "tar.xz"}}));
  EXPECT_FALSE(layout.match("img/debian.tar"));
  EXPECT_FALSE(layout.match("img/-1.tar"));
}

TEST(ScanLayout, ABadLayoutIsNamed) {
  EXPECT_THAT(misuse([] { ScanLayout("{a", "--layout"); }), HasSubstr("a { without its }"));
  EXPECT_THAT(misuse([] { ScanLayout("{}", "--layout"); }), HasSubstr("is no name"));
  EXPECT_THAT(misuse([] { ScanLayout("{a}/{a}", "--layout"); }), HasSubstr("stands there twice"));
  EXPECT_THAT(misuse([] { ScanLayout("{a}{b}", "--layout"); }), HasSubstr("nothing is between"));
  EXPECT_THAT(misuse([] {
                ScanLayout("{a}:{b}", "--product").fill({{"a", "1"}});
              }),
              HasSubstr("--product: {b} is neither"));
}

class Scan : public testing::Test {
 protected:
  void write(const std::string& path) const {
    const auto full = scratch.path() + "/" + path;
    base::make_directories(full.substr(0, full.rfind('/')));
    base::replace_file(full, path);
  }

  sstream::ScanOptions options() const {
    sstream::ScanOptions options;
    options.directory = scratch.path();
    options.content_id = "com.example:images";
    return options;
  }

  base::TempDir scratch{"scan-"};
};

TEST_F(Scan, MakesItemsOfWhatFits) {
  write("noble/amd64/1/squashfs");
  write("noble/amd64/1/manifest");
  write("README");
  write("streams/v1/a/index.json");
  write(".data/a/b/c");
  write("noble/amd64/1/.hidden");
  ASSERT_EQ(::symlink("/etc/passwd", (scratch.path() + "/noble/amd64/1/link").c_str()), 0);
  const auto result = sstream::scan_directory(options());
  ASSERT_EQ(result.records.size(), 2U);
  const auto& record = result.records.back();
  EXPECT_EQ(record.content_id, "com.example:images");
  EXPECT_EQ(record.id.text(), "com.example:images:noble:amd64/1/squashfs");
  EXPECT_EQ(record.tags, (io::Json{{"arch", "amd64"},
                                   {"ftype", "squashfs"},
                                   {"path", "noble/amd64/1/squashfs"},
                                   {"release", "noble"}}));
  EXPECT_THAT(result.left_out,
              UnorderedElementsAre(HasSubstr("README: does not fit the layout"),
                                   HasSubstr("noble/amd64/1/link: is no regular file")));
}

TEST_F(Scan, ProductsAreCalledAsAsked) {
  write("debian-20260101.root.tar.xz");
  auto scan = options();
  scan.layout = "{os}-{version}.{ftype}";
  scan.product = "com.example:v3:{os}:{arch}";
  EXPECT_THAT(misuse([&] { sstream::scan_directory(scan); }), HasSubstr("{arch} is neither"));
  scan.tags = {{"arch", "arm64"}};
  const auto records = sstream::scan_directory(scan).records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records.front().id.text(), "com.example:v3:debian:arm64/20260101/root.tar.xz");
  scan.layout = "{product}-{version}.{item}";
  scan.product = "";
  EXPECT_EQ(sstream::scan_directory(scan).records.front().id.product, "debian");
  scan.layout = "{os}-{release}";
  EXPECT_THAT(misuse([&] { sstream::scan_directory(scan); }), HasSubstr("must have {version}"));
}

TEST_F(Scan, ANameThatNobodyCanReadIsRefused) {
  write("noble/amd64/1/a\nb");
  EXPECT_THROW(sstream::scan_directory(options()), base::Error);
}

}  // namespace

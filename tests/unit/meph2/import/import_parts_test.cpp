#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "meph2/import/image_index.h"
#include "meph2/import/import_config.h"
#include "meph2/import/new_version.h"
#include "meph2/import/pick_files.h"
#include "tests/support/refused.h"

namespace meph2::import {
namespace {

using testing::HasSubstr;

TEST(NextVersion, SortsAfterAllThatAreThere) {
  std::vector<std::string> there;
  for (int i = 0; i < 250; ++i) {
    const auto next = next_version(there, "20260101", ".0");
    for (const auto& name : there) {
      EXPECT_LT(name, next);
    }
    there.push_back(next);
  }
  EXPECT_EQ(there[0], "20260101.0");
  EXPECT_EQ(there[9], "20260101.9");
  EXPECT_EQ(there[10], "20260101.90");
  EXPECT_EQ(there[20], "20260101.990");
}

TEST(NextVersion, KnowsOtherNamesAndDays) {
  EXPECT_EQ(next_version({}, "20260101", "_01"), "20260101_01");
  EXPECT_EQ(next_version({"20260101_09"}, "20260101", "_01"), "20260101_10");
  EXPECT_EQ(next_version({"20260101_99"}, "20260101", "_01"), "20260101_990");
  EXPECT_EQ(next_version({"20251231.7", "20260101"}, "20260101", ".0"), "20260101.0");
  // A clock that was ahead when the newest was made.
  EXPECT_EQ(next_version({"20260201.3"}, "20260101", ".0"), "20260201.4");
  EXPECT_THROW(next_version({"samepaths"}, "20260101", ".0"), base::Error);
}

TEST(FilePatterns, DoNotCrossDirectories) {
  EXPECT_TRUE(matches("usr/lib/*.c32", "usr/lib/chain.c32"));
  EXPECT_TRUE(matches("usr/*/chain.c3?", "usr/lib/chain.c32"));
  EXPECT_TRUE(matches("a*b*c", "aXbXbXc"));
  EXPECT_TRUE(matches("a", "a"));
  EXPECT_FALSE(matches("usr/lib/*.c32", "usr/lib/deep/chain.c32"));
  EXPECT_FALSE(matches("usr/lib/*", "usr/lib/deep/x"));
  EXPECT_FALSE(matches("usr?lib", "usr/lib"));
  EXPECT_FALSE(matches("a*b", "aXbc"));
  EXPECT_FALSE(matches("", "a"));
}

void refused(const std::string& text, const std::string& reason) {
  EXPECT_THAT(support::refused(base::Errc::usage, [&] { parse_import_config(text, "c.yaml"); }),
              HasSubstr(reason));
}

const std::string ids = "product_id: a\ncontent_id: b\n";

TEST(ImportConfig, SaysWhereItIsWrong) {
  refused("", "c.yaml");
  refused(ids, "c.yaml:1:1");
  refused(ids + "bootlaoders: []\n", "bootlaoders");
  refused(ids + "bootloaders:\n  - os: x\n", "c.yaml:4:5: bootloaders[0]: the key");
  refused("product_id: a\ncontent_id: ../b\nimage_index: http://x/\n", "c.yaml:2:13");
  refused(ids + "image_index: ftp://x/\n", "c.yaml:3:14");
  refused(ids +
              "image_index: http://x/\nos: c\narch: a\nversions:\n  c7:\n    version: 7\n"
              "    packages: [--installroot=/]\n",
          "c.yaml:9:16: versions.c7.packages[0]");
}

TEST(ImportConfig, ReadsTheEstablishedFile) {
  const auto path = FIXTURES "/import/upstream-bootloaders.yaml";
  const auto config = parse_import_config(base::read_file(path), path, true);
  ASSERT_TRUE(config.bootloaders);
  ASSERT_EQ(config.bootloaders->bootloaders.size(), 2U);
  const auto& pxe = config.bootloaders->bootloaders[0];
  const std::vector<std::string> components{"main", "universe"};
  ASSERT_EQ(pxe.sources.size(), 4U);
  EXPECT_EQ(pxe.sources[0],
            (ArchiveSource{"http://archive.ubuntu.com/ubuntu", "focal-proposed", components}));
  EXPECT_EQ(pxe.sources[3].suite, "focal");
  EXPECT_EQ(config.bootloaders->bootloaders[1].grub_output, "grubaa64.efi");
  EXPECT_EQ(config.bootloaders->bootloaders[1].files[0].pattern, "usr/lib/grub/arm64-efi");
}

TEST(ImportConfig, TheShippedOneIsRead) {
  const auto path = SOURCE_DIR "/conf/bootloaders.yaml";
  const auto config = parse_import_config(base::read_file(path), path);
  EXPECT_EQ(config.bootloaders->bootloaders.size(), 4U);
}

TEST(ImageIndex, OffersTheNewestFirstAndTheCompressedOnes) {
  const std::string sum(64, 'A');
  const auto section = [&](const std::string& file, const std::string& revision,
                           const std::string& arch = "x86_64") {
    return "[" + file + "]\nfile=" + file + "\nformat=qcow2\narch=" + arch +
           "\nrevision=" + revision + "\nchecksum=" + sum + "\nnotes=one\n two\n";
  };
  const auto text = "# comment\n" + section("a-1907.qcow2", "1907") +
                    section("a-1907.qcow2.xz", "1907") + section("a-2003.qcow2", "2003") +
                    section("a-arm.qcow2", "2009", "aarch64") + section("old.qcow2", "20140929_01");
  const auto offered = read_image_index(text, "i", "amd64", "");
  ASSERT_EQ(offered.size(), 2U);
  EXPECT_EQ(offered[0].file, "a-2003.qcow2");
  EXPECT_EQ(offered[1].file, "a-1907.qcow2.xz");
  EXPECT_EQ(offered[1].sha256, std::string(64, 'a'));
  EXPECT_EQ(read_image_index(text, "i", "amd64", "1907").size(), 1U);
  EXPECT_THROW(read_image_index("[a]\nrubbish\n", "i", "amd64", ""), base::Error);
  EXPECT_THROW(read_image_index("[a]\nfile=../x\nformat=qcow2\narch=x86_64\nrevision=1907\n"
                                "checksum=" +
                                    sum + "\n",
                                "i", "amd64", ""),
               base::Error);
  EXPECT_THROW(read_image_index("[a]\nfile=x\narch=x86_64\nrevision=1907\n", "i", "amd64", ""),
               base::Error);
}

}  // namespace
}  // namespace meph2::import

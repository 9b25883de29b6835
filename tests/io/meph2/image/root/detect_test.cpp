#include "meph2/image/root/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "meph2/image/root/root_squashfs.h"
#include "tests/io/meph2/image/tools.h"
#include "tests/support/refused.h"
#include "tests/support/tar_writer.h"

namespace meph2::image {
namespace {

using image_test::run;
using image_test::write_file;
using support::TarWriter;
using testing::HasSubstr;

class Detect : public testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  Content content(const std::string& name) const {
    auto file = base::open_file(path(name), O_RDONLY);
    return detect(file, name);
  }

  std::string problem(const std::string& name) const {
    return support::refused(base::Errc::untrusted, [&] { content(name); });
  }

  std::string qcow2_problem(const std::string& name) const {
    auto file = base::open_file(path(name), O_RDONLY);
    return support::verdict(base::Errc::untrusted, [&] { require_standalone_qcow2(file); });
  }

  void make_ext(const std::string& name) const {
    run({"mke2fs", "-q", "-t", "ext4", path(name), "4M"});
  }

 private:
  base::TempDir directory_{"detect-"};
};

TEST_F(Detect, GoesByContentWhateverTheName) {
  write_file(path("root.img"), TarWriter().directory("etc/").file("etc/a", "x").bytes());
  EXPECT_EQ(content("root.img"), Content::root_tar);
  run({"mkdir", path("etc")});
  for (const auto* option : {"--gzip", "--xz", "--zstd", "--bzip2"}) {
    run({"tar", "--create", option, "--file", path("squashfs"), "-C", path(""), "root.img"});
    EXPECT_EQ(content("squashfs"), Content::image_tar) << option;
    run({"tar", "--create", option, "--file", path("squashfs"), "-C", path(""), "./etc"});
    EXPECT_EQ(content("squashfs"), Content::root_tar) << option;
  }
  run({"mkdir", path("d")});
  run({"mksquashfs", path("d"), path("x.tar.gz"), "-quiet", "-no-progress"});
  EXPECT_EQ(content("x.tar.gz"), Content::squashfs);
}

TEST_F(Detect, FindsImagesInTheirWrappings) {
  make_ext("fs");
  EXPECT_EQ(content("fs"), Content::file_system);
  run({"gzip", "--keep", path("fs")});
  EXPECT_EQ(content("fs.gz"), Content::compressed_image);
  write_file(path("i.tar"), TarWriter().file("README.files", "r").file("disk.img", "x").bytes());
  EXPECT_EQ(content("i.tar"), Content::image_tar);
  write_file(path("r.tar"),
             TarWriter().file("a", "r").directory("etc").file("disk.img", "x").bytes());
  EXPECT_EQ(content("r.tar"), Content::root_tar);
  run({"qemu-img", "create", "-q", "-f", "qcow2", path("q"), "4M"});
  EXPECT_EQ(content("q"), Content::qcow2);
}

TEST_F(Detect, RefusesWhatItDoesNotKnow) {
  write_file(path("empty"), "");
  EXPECT_THAT(problem("empty"), HasSubstr("empty file"));
  write_file(path("text"), std::string(10000, 't'));
  EXPECT_THAT(problem("text"), HasSubstr("neither a tar"));
  run({"gzip", path("text")});
  EXPECT_THAT(problem("text.gz"), HasSubstr("neither a tar"));
  write_file(path("cut.gz"), base::read_file(path("text.gz")).substr(0, 15));
  EXPECT_NE(problem("cut.gz"), "accepted");
}

TEST_F(Detect, RefusesQcow2ThatNameOtherFiles) {
  run({"qemu-img", "create", "-q", "-f", "qcow2", path("plain"), "4M"});
  EXPECT_EQ(qcow2_problem("plain"), "accepted");
  run({"qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/shadow", "-F", "raw",
       path("backed"), "4M"});
  EXPECT_THAT(qcow2_problem("backed"), HasSubstr("backing file"));
  run({"qemu-img", "create", "-q", "-f", "qcow2", "-o",
       base::cat("data_file=", path("data"), ",data_file_raw=on"), path("external"), "4M"});
  EXPECT_THAT(qcow2_problem("external"), HasSubstr("external data file"));
  write_file(path("cut"), base::read_file(path("plain")).substr(0, 40));
  EXPECT_THAT(qcow2_problem("cut"), HasSubstr("truncated qcow2 header"));
}

TEST_F(Detect, FindsTheRootPartition) {
  make_ext("fs");
  for (const auto* label : {"gpt", "dos"}) {
    const auto disk = path(label);
    run({"truncate", "--size=20M", disk});
    base::Command command;
    command.argv = {"sfdisk", "--quiet", disk};
    command.input = base::cat("label: ", label, "\nstart=2048, size=4096\nstart=8192, size=8192\n");
    base::run_checked(command);
    run({"dd", "if=" + path("fs"), "of=" + disk, "bs=512", "seek=8192", "conv=notrunc",
         "status=none"});
    EXPECT_EQ(content(label), Content::disk);
    const auto file = base::open_file(disk, O_RDONLY);
    const auto part = find_root_partition(partition_table(disk, {}), file, "amd64");
    EXPECT_EQ(part.offset, 8192U * 512U) << label;
    EXPECT_EQ(part.size, 8192U * 512U) << label;
  }
  const auto empty = path("empty");
  run({"truncate", "--size=20M", empty});
  base::Command command;
  command.argv = {"sfdisk", "--quiet", empty};
  command.input = "label: gpt\nsize=4096\n";
  base::run_checked(command);
  const auto file = base::open_file(empty, O_RDONLY);
  EXPECT_THROW(find_root_partition(partition_table(empty, {}), file, "amd64"), base::Error);
}

TEST(Format, AdmitsWhatItNames) {
  EXPECT_TRUE(format_admits("auto", Content::qcow2));
  EXPECT_TRUE(format_admits("root-tar", Content::root_tar));
  EXPECT_FALSE(format_admits("root-tar", Content::squashfs));
  EXPECT_TRUE(format_admits("squashfs-image", Content::squashfs));
  EXPECT_TRUE(format_admits("root-image", Content::disk));
  EXPECT_FALSE(format_admits("root-image", Content::compressed_image));
  EXPECT_TRUE(format_admits("root-image-gz", Content::compressed_image));
  EXPECT_TRUE(format_admits("img-tar", Content::image_tar));
}

}  // namespace
}  // namespace meph2::image

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/image/squashfs.h"
#include "io/tar/archive.h"
#include "tests/e2e/image/builder.h"
#include "tests/support/http_server.h"

namespace {

using builder_test::build;
using builder_test::exists;
using builder_test::output_of;
using testing::HasSubstr;
using testing::IsEmpty;

/// A made-up root file system with a dpkg status, in all the forms in which images come.
class Sources : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "SKIPPED: not root, so no file system image can be mounted";
    }
    for (const auto* name : {"tree/etc", "tree/var/lib/dpkg", "tree/usr/bin"}) {
      base::make_directories(path(name));
    }
    write("tree/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
    write("tree/var/lib/dpkg/status",
          "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n");
    write("tree/usr/bin/tool", std::string(200000, 't'));
    ASSERT_EQ(::chown(path("tree/usr/bin/tool").c_str(), 12, 34), 0);
    output_of({"mke2fs", "-q", "-t", "ext4", "-d", path("tree"), path("fs"), "16M"});
  }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  void write(const std::string& name, const std::string& bytes) const {
    auto file = base::open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(bytes);
    file.close();
  }

  void make_disk(const std::string& name) const {
    output_of({"truncate", "--size=40M", path(name)});
    base::Command command;
    command.argv = {"sfdisk", "--quiet", path(name)};
    command.input = "label: gpt\nstart=2048, size=4096\nstart=8192, size=32768\n";
    base::run_checked(command);
    output_of({"dd", "if=" + path("fs"), "of=" + path(name), "bs=512", "seek=8192", "conv=notrunc",
               "status=none"});
  }

  /// Builds and checks that the squashfs holds the tree.
  void expect_built(const std::string& source, const std::string& format) const {
    base::remove_tree(path("out"));
    const auto outcome =
        build({"--format=" + format, "--no-gzip", "--arch=amd64",
               "--manifest=" + path("out/manifest"), path(source), path("out/root-image.gz")});
    ASSERT_EQ(outcome.status, 0) << source << ": " << outcome.error;
    EXPECT_EQ(base::read_file(path("out/manifest")), "dpkg\t1.21\n") << source;
    auto file = base::open_file(path("out/squashfs"), O_RDONLY);
    const io::Squashfs squashfs(file);
    EXPECT_EQ(squashfs.facts().compression, "zstd") << source << ": what Debian needs";
    EXPECT_EQ(squashfs.read("usr/bin/tool", 1U << 20U), std::string(200000, 't')) << source;
    EXPECT_THAT(output_of({"unsquashfs", "-lln", path("out/squashfs"), "usr/bin/tool"}),
                HasSubstr("12/34"))
        << source;
  }

  std::string refusal(const std::string& source, const std::string& format = "auto") const {
    const auto outcome =
        build({"--format=" + format, "--no-gzip", path(source), path("out/root-image.gz")});
    EXPECT_EQ(outcome.status, 5) << outcome.error;
    EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
    EXPECT_THAT(base::list_directory(path("out")), IsEmpty());
    return outcome.error;
  }

 private:
  base::TempDir directory_{"sources-"};
};

TEST_F(Sources, AreTakenInEveryForm) {
  output_of({"tar", "-C", path("tree"), "-cJf", path("root.tar.xz"), "."});
  expect_built("root.tar.xz", "root-tar");
  expect_built("fs", "root-image");
  output_of({"gzip", "--keep", path("fs")});
  expect_built("fs.gz", "root-image-gz");
  make_disk("disk");
  expect_built("disk", "root-image");
  output_of({"qemu-img", "convert", "-O", "qcow2", path("disk"), path("disk.qcow2")});
  expect_built("disk.qcow2", "auto");
  output_of({"cp", path("disk"), path("disk.img")});
  output_of({"tar", "-C", path(""), "-czf", path("img.tar.gz"), "disk.img"});
  expect_built("img.tar.gz", "img-tar");
  EXPECT_TRUE(builder_test::no_loops(path("")));
}

TEST_F(Sources, AreFetchedOverHttp) {
  output_of({"mksquashfs", path("tree"), path("s"), "-quiet", "-no-progress"});
  support::HttpServer server;
  server.offer("/images/s.squashfs", base::read_file(path("s")));
  auto outcome = build({"--no-gzip", server.url("/images/s.squashfs"), path("out/root-image.gz")});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_EQ(base::read_file(path("out/squashfs")), base::read_file(path("s")));
  outcome = build({"--no-gzip", server.url("/images/none"), path("out2/root-image.gz")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.error, HasSubstr("the server has no such file"));
  EXPECT_THAT(base::list_directory(path("out2")), IsEmpty());
}

TEST_F(Sources, AreRefusedWhereTheyAreNotWhatIsSaid) {
  output_of({"tar", "-C", path("tree"), "-cf", path("root.tar"), "."});
  EXPECT_THAT(refusal("root.tar", "squashfs-image"), HasSubstr("a tar of a root file system"));
  make_disk("disk");
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", path("disk"), "-F", "raw",
             path("backed.qcow2")});
  EXPECT_THAT(refusal("backed.qcow2"), HasSubstr("backing file"));
  write("text", std::string(9000, 't'));
  EXPECT_THAT(refusal("text"), HasSubstr("neither a tar"));
  output_of({"mksquashfs", path("tree"), path("whole"), "-quiet", "-no-progress"});
  write("cut", base::read_file(path("whole")).substr(0, 300));
  EXPECT_THAT(refusal("cut"), HasSubstr("truncated"));
}

TEST_F(Sources, ThatAreSquashfsArePublishedAsTheyAre) {
  output_of({"mksquashfs", path("tree"), path("s"), "-quiet", "-no-progress"});
  const auto bytes = base::read_file(path("s"));
  ASSERT_EQ(build({"--no-gzip", path("s"), path("a/root-image.gz")}).status, 0);
  EXPECT_EQ(base::read_file(path("a/squashfs")), bytes);
  // Linked only where nobody may write to the source: what is published must not change.
  const auto links = [this] {
    struct stat status {};

    EXPECT_EQ(::stat(path("s").c_str(), &status), 0);
    return status.st_nlink;
  };
  EXPECT_EQ(links(), 1U);
  ASSERT_EQ(::chmod(path("s").c_str(), 0444), 0);
  ASSERT_EQ(build({"--no-gzip", path("s"), path("b/root-image.gz")}).status, 0);
  EXPECT_EQ(base::read_file(path("b/squashfs")), bytes);
}

TEST_F(Sources, GiveARootImage) {
  output_of({"tar", "-C", path("tree"), "-cf", path("root.tar"), "."});
  const auto outcome = build(
      {"--no-squashfs", "--root-image-size=64M", path("root.tar"), path("out/root-image.gz")});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_EQ(outcome.output, path("out/root-image.gz") + "\n");
  EXPECT_FALSE(exists(path("out/squashfs")));
  auto packed = base::open_file(path("out/root-image.gz"), O_RDONLY);
  auto raw = base::open_file(path("raw"), O_RDWR | O_CREAT);
  io::decompress(packed, raw, 2ULL << 30U, {});
  raw.close();
  EXPECT_EQ(output_of({"debugfs", "-R", "cat /etc/os-release", path("raw")}),
            "ID=debian\nVERSION_CODENAME=bookworm\n");
  EXPECT_THAT(output_of({"e2label", path("raw")}), HasSubstr("cloudimg-rootfs"));
  output_of({"e2fsck", "-fn", path("raw")});
}

TEST_F(Sources, GiveBothKindsOfImage) {
  output_of({"tar", "-C", path("tree"), "-cf", path("root.tar"), "."});
  ::setenv("M2E_ROOT_IMAGE_SIZE", "64M", 1);
  const auto outcome = build(
      {"--manifest=" + path("out/squashfs.manifest"), path("root.tar"), path("out/root-image.gz")});
  const auto again = build({path("out/squashfs"), path("again/root-image.gz")});
  ::setenv("M2E_ROOT_IMAGE_SIZE", "much", 1);
  const auto wrong = build({path("out/squashfs"), path("wrong/root-image.gz")});
  ::unsetenv("M2E_ROOT_IMAGE_SIZE");
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  ASSERT_EQ(again.status, 0) << again.error;
  EXPECT_EQ(base::read_file(path("out/squashfs")), base::read_file(path("again/squashfs")));
  EXPECT_EQ(base::read_file(path("out/root-image.gz")),
            base::read_file(path("again/root-image.gz")));
  EXPECT_EQ(wrong.status, 2) << wrong.error;
}

TEST_F(Sources, NeedSpace) {
  const auto small = path("small");
  base::make_directories(small);
  output_of({"mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", small});
  std::string noise;
  for (unsigned i = 0; i < 4000000; ++i) {
    noise += static_cast<char>((i * 2654435761U) >> 11U);
  }
  write("tree/noise", noise);
  output_of({"tar", "-C", path("tree"), "-cf", path("root.tar"), "."});
  const auto tar = build({"--no-gzip", path("root.tar"), small + "/out/root-image.gz"});
  output_of({"mksquashfs", path("tree"), path("s"), "-quiet", "-no-progress", "-noD", "-noF"});
  const auto squashfs = build({"--no-gzip", path("s"), small + "/out/root-image.gz"});
  const auto left = base::list_directory(small + "/out");
  output_of({"umount", small});
  EXPECT_EQ(tar.status, 5) << tar.error;
  EXPECT_THAT(tar.error, HasSubstr("unpacks to more than the"));
  EXPECT_EQ(squashfs.status, 1) << squashfs.error;
  EXPECT_THAT(squashfs.error, HasSubstr("No space left on device"));
  EXPECT_THAT(left, IsEmpty());
}

}  // namespace

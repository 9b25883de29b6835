#include "meph2/image/root/root_image.h"

#include <array>
#include <cstdlib>

#include <sys/mount.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/io/meph2/image/tools.h"
#include "tests/io/meph2/image/trees.h"
#include "tests/support/refused.h"
#include "tests/support/tar_writer.h"

namespace meph2::image {
namespace {

using image_test::describe_tree;
using image_test::exists;
using image_test::run;
using image_test::sha256;
using image_test::write_file;
using support::TarWriter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RootImage : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("SOURCE_DATE_EPOCH"); }

  void TearDown() override { ::unsetenv("SOURCE_DATE_EPOCH"); }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  /// A squashfs of what a tar holds: needs no rights.
  std::string squashfs_of(const TarWriter& tar, const std::string& compression = "gzip") const {
    write_file(path("t.tar"), tar.bytes());
    run({"sh", "-c", "tar2sqfs -q -f -c " + compression + " squashfs < t.tar"}, directory_.path());
    return path("squashfs");
  }

  std::vector<std::string> make(const std::string& squashfs, const std::string& name,
                                std::uint64_t size = 64ULL << 20U) const {
    std::vector<std::string> warnings;
    const base::Log log(
        "test", base::LogLevel::warning,
        [&warnings](base::LogLevel, const std::string& line) { warnings.push_back(line); });
    RootImageOptions options;
    options.size = size;
    make_root_image(squashfs, path(name), options, log, {});
    return warnings;
  }

  /// What a checker that may change nothing says of it; its exit status is looked at by run().
  void expect_sound(const std::string& name) const { run({"e2fsck", "-fn", path(name)}); }

  std::string debugfs(const std::string& request, const std::string& name) const {
    return run({"debugfs", "-R", request, path(name)});
  }

  std::string directory() const { return directory_.path(); }

 private:
  base::TempDir directory_{"root-image-"};
};

/// A loop mount for as long as it lives.
class Mounted {
 public:
  Mounted(const std::string& image, std::string where) : where_(std::move(where)) {
    base::make_directories(where_);
    run({"mount", "-o", "loop,ro", image, where_});
  }

  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  ~Mounted() { ::umount2(where_.c_str(), MNT_DETACH); }

  const std::string& where() const { return where_; }

 private:
  std::string where_;
};

std::string facts_of_root(const std::string& root) {
  struct stat status {};

  EXPECT_EQ(::stat(root.c_str(), &status), 0);
  return base::cat(status.st_mode, " ", status.st_uid, " ", status.st_gid, " ", status.st_mtime);
}

TEST_F(RootImage, HoldsWhatTheSquashfsHolds) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "SKIPPED: not root, so no device nodes can be made and nothing be mounted";
  }
  const auto tree = path("tree");
  image_test::make_full_tree(tree);
  base::make_directories(tree + "/many");
  for (int i = 0; i < 3000; ++i) {  // a directory of many blocks, entered one by one
    ASSERT_EQ(::link((tree + "/etc/passwd").c_str(),
                     base::cat(tree, "/many/a-name-of-some-length-", i).c_str()),
              0);
  }
  base::make_directories(tree + "/lost+found");
  ASSERT_EQ(::chmod((tree + "/lost+found").c_str(), 0711), 0);
  write_file(tree + "/lost+found/#12", "found");
  ASSERT_EQ(::symlink(std::string(500, 'l').c_str(), (tree + "/srv/long-link").c_str()), 0);
  write_file(tree + "/srv/holes-at-the-end", std::string(5000, 'h'));
  ASSERT_EQ(::truncate((tree + "/srv/holes-at-the-end").c_str(), 1000000), 0);
  run({"setfattr", "-n", "user.large", "-v", std::string(2000, 'x'), tree + "/srv"});
  const std::array<timespec, 2> late = {timespec{4000000000, 0}, timespec{4000000000, 0}};
  for (const auto* name : {"/dev/sda1", "/many", "/lost+found", ""}) {
    ASSERT_EQ(::utimensat(AT_FDCWD, (tree + name).c_str(), late.data(), 0), 0);
  }
  ASSERT_EQ(::chown(tree.c_str(), 7, 8), 0);
  ASSERT_EQ(::chmod(tree.c_str(), 0711), 0);
  for (const auto* compression : {"gzip", "xz", "zstd"}) {
    const base::TempDir directory("mounts-");
    const auto squashfs = path(base::cat("s-", compression));
    run({"mksquashfs", tree, squashfs, "-comp", compression, "-no-progress"});
    const auto name = base::cat("image-", compression);
    EXPECT_THAT(make(squashfs, name), IsEmpty());
    expect_sound(name);
    const Mounted before(squashfs, directory.path() + "/squashfs");
    const Mounted after(path(name), directory.path() + "/ext4");
    EXPECT_EQ(describe_tree(after.where()), describe_tree(before.where()));
    EXPECT_EQ(facts_of_root(after.where()), facts_of_root(before.where()));

    struct stat sparse {};

    ASSERT_EQ(::stat((after.where() + "/srv/sparse").c_str(), &sparse), 0);
    EXPECT_LT(sparse.st_blocks * 512, 64 << 10) << "holes were filled";
  }
}

TEST_F(RootImage, NeedsNoRightsAndMountsNothing) {
  const auto squashfs = squashfs_of(TarWriter()
                                        .directory("./")
                                        .directory("dev/")
                                        .device("dev/sda1", '4', 8, 1)
                                        .file("file", std::string(100000, 'f'))
                                        .hard_link("again", "file")
                                        .symlink("link", "file"));
  EXPECT_THAT(make(squashfs, "image"), IsEmpty());
  expect_sound("image");
  EXPECT_EQ(debugfs("cat /again", "image"), std::string(100000, 'f'));
  EXPECT_THAT(debugfs("stat /dev/sda1", "image"), HasSubstr("08:01"));
  EXPECT_THAT(debugfs("stat /file", "image"), HasSubstr("Links: 2"));
  EXPECT_THAT(debugfs("stats -h", "image"), HasSubstr("cloudimg-rootfs"));
  EXPECT_THAT(debugfs("features", "image"), Not(HasSubstr("metadata_csum")));
}

TEST_F(RootImage, IsTheSameBytesEachTime) {
  const auto tar =
      TarWriter().directory("./").file("a", std::string(300000, 'a')).symlink("b", "a");
  const auto first = squashfs_of(tar);
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  make(first, "one");
  // Nothing of it depends on how the squashfs is packed.
  const auto second = squashfs_of(tar, "xz");
  make(second, "two");
  EXPECT_EQ(sha256(path("one")), sha256(path("two")));
  EXPECT_THAT(run({"dumpe2fs", "-h", path("one")}),
              HasSubstr("Filesystem created:       Tue Nov 14 22:13:20 2023"));
  ::unsetenv("SOURCE_DATE_EPOCH");
  make(second, "three");
  EXPECT_THAT(run({"dumpe2fs", "-h", path("three")}),
              HasSubstr("Filesystem created:       Sun Sep  9 01:46:40 2001"));
  const auto other = squashfs_of(
      TarWriter().directory("./").file("a", std::string(300000, 'b')).symlink("b", "a"));
  make(other, "four");
  const auto uuid = [this](const std::string& name) {
    return run({"blkid", "-p", "-s", "UUID", "-o", "value", path(name)});
  };
  EXPECT_EQ(uuid("one"), uuid("three"));
  EXPECT_NE(uuid("three"), uuid("four"));
}

TEST_F(RootImage, GrowsWithAWarning) {
  std::string noise;
  for (unsigned i = 0; i < (40U << 20U); ++i) {
    noise += static_cast<char>((i * 2654435761U) >> 23U);
  }
  const auto squashfs = squashfs_of(TarWriter().directory("./").file("noise", noise));
  EXPECT_THAT(make(squashfs, "large", 96ULL << 20U), IsEmpty());
  EXPECT_EQ(base::open_file(path("large"), O_RDONLY).size(), 96ULL << 20U);
  EXPECT_THAT(make(squashfs, "small", 32ULL << 20U),
              ElementsAre(HasSubstr("does not fit into 32M: made of")));
  EXPECT_GT(base::open_file(path("small"), O_RDONLY).size(), 140ULL << 20U);
  expect_sound("small");
  EXPECT_EQ(debugfs("cat /noise", "small"), noise);
}

TEST_F(RootImage, HasInodesForAllFiles) {
  auto tar = TarWriter().directory("./");
  for (int i = 0; i < 5000; ++i) {
    tar.file(base::cat("f", i), "");
  }
  EXPECT_THAT(make(squashfs_of(tar), "image", 32ULL << 20U), IsEmpty());
  expect_sound("image");
}

TEST_F(RootImage, IsZeroWhereItIsFree) {
  make(squashfs_of(TarWriter().directory("./").file("a", "a")), "image", 64ULL << 20U);
  auto image = base::open_file(path("image"), O_RDONLY);
  std::string block(4096, '\0');
  int used = 0;
  while (image.read(block) > 0) {
    used += block.find_first_not_of('\0') == std::string::npos ? 0 : 1;
  }
  EXPECT_LT(used, 40);
  gzip_root_image(path("image"), {});
  EXPECT_FALSE(exists(path("image")));
  run({"gzip", "--test", path("image.gz")});
}

TEST_F(RootImage, OfADamagedSquashfsIsRefused) {
  const auto squashfs = squashfs_of(TarWriter().directory("./").file("a", std::string(99999, 'a')));
  auto bytes = base::read_file(squashfs);
  for (std::size_t i = 96; i < 140; ++i) {  // the first block of data
    bytes[i] = static_cast<char>(~bytes[i]);
  }
  write_file(path("bad"), bytes);
  support::refused(base::Errc::untrusted, [&] { make(path("bad"), "image"); });
}

TEST_F(RootImage, StopsWhenItIsAskedTo) {
  const auto squashfs = squashfs_of(TarWriter().directory("./").file("a", "a"));
  const base::Log log("test", base::LogLevel::error);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(make_root_image(squashfs, path("image"), {}, log, stop.get_token()), base::Stopped);
}

}  // namespace
}  // namespace meph2::image

#include "meph2/image/root/root_squashfs.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <map>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/image/squashfs.h"
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
using testing::HasSubstr;
using testing::IsEmpty;

struct Packed {
  std::vector<std::string> warnings;
};

Packed pack(const std::string& tar, const std::string& output,
            const std::string& compression = "zstd", std::uint64_t max_bytes = UINT64_MAX) {
  Packed out;
  const base::Log log(
      "test", base::LogLevel::info,
      [&out](base::LogLevel, const std::string& line) { out.warnings.push_back(line); });
  SquashOptions options;
  options.compression = compression;
  options.jobs = 2;
  options.max_bytes = max_bytes;
  auto file = base::open_file(tar, O_RDONLY);
  squash_tar(file, output, options, log, {});
  return out;
}

std::string refusal(const std::string& tar, const std::string& output,
                    std::uint64_t max_bytes = UINT64_MAX) {
  const auto said =
      support::refused(base::Errc::untrusted, [&] { pack(tar, output, "gzip", max_bytes); });
  EXPECT_FALSE(exists(output)) << "a squashfs was left behind";
  return said;
}

class RootSquashfs : public testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  void make_tree() const { image_test::make_full_tree(path("tree")); }

  std::string unpacked(const std::string& squashfs) const {
    const auto to = path("unpacked");
    base::remove_tree(to);
    run({"unsquashfs", "-no-progress", "-xattrs", "-d", to, squashfs});
    return describe_tree(to);
  }

 private:
  base::TempDir directory_{"root-squashfs-"};
};

#define REQUIRE_ROOT()  \
  if (::geteuid() != 0) \
  GTEST_SKIP() << "SKIPPED: not root, so no device nodes and capabilities can be made"

TEST_F(RootSquashfs, HoldsWhatTheTarHeld) {
  REQUIRE_ROOT();
  make_tree();
  const auto expected = describe_tree(path("tree"));
  int number = 0;
  for (const auto& flags :
       std::vector<std::vector<std::string>>{{},
                                             {"--gzip"},
                                             {"--xz"},
                                             {"--zstd"},
                                             {"--bzip2"},
                                             {"--sparse", "--sparse-version=1.0"},
                                             {"--sparse", "--sparse-version=0.1"},
                                             {"--sparse", "--sparse-version=0.0"}}) {
    const auto tar = path(base::cat("t", number, ".tar"));
    std::vector<std::string> argv = {
        "tar",      "--create",           "--file",         tar, "--format=posix",
        "--xattrs", "--xattrs-include=*", "--numeric-owner"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.insert(argv.end(), {"-C", path("tree"), "."});
    run(argv);
    const auto output = path(base::cat("s", number++));
    EXPECT_THAT(pack(tar, output).warnings, IsEmpty());
    EXPECT_EQ(unpacked(output), expected) << base::join(flags, " ");
  }
}

TEST_F(RootSquashfs, HoldsWhatAGnuTarHeld) {
  REQUIRE_ROOT();
  make_tree();
  run({"tar", "--create", "--file", path("gnu.tar"), "--format=gnu", "--sparse", "-C", path("tree"),
       "."});
  pack(path("gnu.tar"), path("gnu"));
  for (const auto* name : {"etc/passwd", "usr/bin/ping", "etc"}) {  // this format holds none
    const auto full = base::cat(path("tree"), "/", name);
    for (const auto* xattr : {"user.note", "trusted.note", "security.capability"}) {
      ::removexattr(full.c_str(), xattr);
    }
  }
  EXPECT_EQ(unpacked(path("gnu")), describe_tree(path("tree")));
}

TEST_F(RootSquashfs, IsTheSameBytesEachTime) {
  write_file(path("a.tar"), TarWriter()
                                .directory("./")
                                .directory("etc/")
                                .file("etc/a", std::string(500000, 'a'))
                                .file("no/parent/named", "x")
                                .bytes());
  for (const auto* compression : {"xz", "zstd", "gzip"}) {
    const auto first = path(base::cat(compression, 1));
    const auto second = path(base::cat(compression, 2));
    pack(path("a.tar"), first, compression);
    pack(path("a.tar"), second, compression);
    EXPECT_EQ(sha256(first), sha256(second)) << compression;
  }
}

TEST_F(RootSquashfs, SaysWhichAclsItLeftOut) {
  REQUIRE_ROOT();
  ASSERT_EQ(::mkdir(path("tree").c_str(), 0755), 0);
  write_file(path("tree") + "/log", "x");
  run({"setfacl", "-m", "u:12:r", path("tree") + "/log"});
  run({"tar", "--create", "--acls", "--format=posix", "--file", path("a.tar"), "-C", path("tree"),
       "."});
  const auto packed = pack(path("a.tar"), path("s"));
  ASSERT_EQ(packed.warnings.size(), 1U);
  EXPECT_THAT(packed.warnings[0], HasSubstr("no POSIX ACLs: left out of 1 entries, first: log"));
}

TEST_F(RootSquashfs, RefusesHostileTars) {
  struct Case {
    std::string bytes;
    std::string reason;
  };

  const std::vector<Case> cases = {
      {TarWriter().file("../evil", "x").bytes(), "leads out of the archive"},
      {TarWriter().file("a/../../evil", "x").bytes(), "leads out of the archive"},
      {TarWriter().file("/etc/passwd", "x").bytes(), "absolute name"},
      {TarWriter().symlink("a", "/etc").file("a/passwd", "x").bytes(), "which is a symlink"},
      {TarWriter().symlink("a", "/etc").file("a", "x").bytes(), "comes twice"},
      {TarWriter().file("a", "x").file("./a", "y").bytes(), "comes twice"},
      {TarWriter().hard_link("a", "../../etc/shadow").bytes(), "leads out of the archive"},
      {TarWriter().hard_link("a", "etc/shadow").bytes(), "which no earlier entry is"},
      {TarWriter().directory("d").hard_link("a", "d").bytes(), "hard link to the directory"},
      {TarWriter().symlink("a", "").bytes(), "symlink without a target"},
      {TarWriter().file(".", "x").bytes(), "the root of the archive is no directory"},
      {TarWriter().bytes(), "empty tar archive"},
      {TarWriter().file("a", "x").file("b", "y").cut(), "truncated tar archive"},
      {TarWriter().file("a", std::string(5000, 'x')).cut().substr(0, 3000), "runcated"},
      {std::string(4096, 'x'), "ormat"},
  };
  for (const auto& each : cases) {
    write_file(path("h.tar"), each.bytes);
    EXPECT_THAT(refusal(path("h.tar"), path("s")), HasSubstr(each.reason));
  }
}

TEST_F(RootSquashfs, RefusesCompressedTarsThatWereCut) {
  TarWriter tar;
  std::string noise;
  for (unsigned i = 0; i < 100000; ++i) {
    noise += static_cast<char>((i * 2654435761U) >> 13U);
  }
  write_file(path("whole.tar"), tar.file("a", noise).file("b", noise).bytes());
  for (const auto* program : {"gzip", "xz", "zstd", "bzip2"}) {
    run({program, "--keep", "--force", path("whole.tar")});
    const std::map<std::string, std::string> endings = {
        {"gzip", "gz"}, {"xz", "xz"}, {"zstd", "zst"}, {"bzip2", "bz2"}};
    const auto bytes = base::read_file(path("whole.tar." + endings.at(program)));
    for (const std::size_t cut :
         {std::size_t{1}, std::size_t{5}, bytes.size() / 2, bytes.size() - 60}) {
      write_file(path("cut"), bytes.substr(0, bytes.size() - cut));
      EXPECT_NE(refusal(path("cut"), path("s")), "accepted") << program << " minus " << cut;
    }
  }
}

TEST_F(RootSquashfs, RefusesWhatUnpacksToMoreThanIsFree) {
  std::string zeros(50U << 20U, '\0');
  write_file(path("bomb.tar"), TarWriter().file("zeros", zeros).bytes());
  run({"xz", "-0", path("bomb.tar")});
  EXPECT_THAT(refusal(path("bomb.tar.xz"), path("s"), 10U << 20U),
              HasSubstr("unpacks to more than the"));
}

TEST_F(RootSquashfs, TakesAHundredThousandEntries) {
  TarWriter tar;
  for (int i = 0; i < 100000; ++i) {
    tar.file(base::cat("d", i % 100, "/f", i), "");
  }
  write_file(path("many.tar"), tar.bytes());
  pack(path("many.tar"), path("s"));
  auto file = base::open_file(path("s"), O_RDONLY);
  const io::Squashfs squashfs(file);
  EXPECT_EQ(squashfs.facts().inodes, 100000U + 100U + 1U);
  squashfs.check_names();
}

TEST_F(RootSquashfs, SaysWhyItCouldNotBeWritten) {
  ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);  // as every program of ours does
  write_file(path("a.tar"), TarWriter().file("a", std::string(3U << 20U, 'x')).bytes());
  const auto said = std::string(
      support::refused([&] { pack(path("a.tar"), path("no/such/directory/s")); }).what());
  EXPECT_THAT(said, HasSubstr("tar2sqfs: "));
  EXPECT_THAT(said, HasSubstr("No such file"));
}

}  // namespace
}  // namespace meph2::image

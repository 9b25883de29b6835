#include "meph2/image/root_squashfs.h"

#include <algorithm>
#include <array>
#include <map>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "base/temp_dir.h"
#include "base/tree.h"
#include "io/digest.h"
#include "io/squashfs.h"
#include "tests/io/image/tools.h"
#include "tests/support/tar_writer.h"

namespace meph2::image {
namespace {

using image_test::exists;
using image_test::run;
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
  try {
    pack(tar, output, "gzip", max_bytes);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted) << error.what();
    EXPECT_FALSE(exists(output)) << "a squashfs was left behind";
    return error.what();
  }
  return "accepted";
}

std::string sha256(const std::string& path) {
  auto file = base::open_file(path, O_RDONLY);
  return io::digest_file(io::Algorithm::sha256, file);
}

/// What a file system entry is, as text.
std::string describe(const std::string& root, const std::string& path, const struct stat& status) {
  auto out = base::cat(path, " mode=", status.st_mode, " uid=", status.st_uid,
                       " gid=", status.st_gid, " mtime=", status.st_mtime);
  if (!S_ISDIR(status.st_mode)) {
    out += base::cat(" links=", status.st_nlink);
  }
  const auto full = base::cat(root, "/", path);
  if (S_ISREG(status.st_mode)) {
    out += base::cat(" size=", status.st_size, " ", sha256(full));
  } else if (S_ISLNK(status.st_mode)) {
    std::array<char, 4096> target{};
    const auto length = ::readlink(full.c_str(), target.data(), target.size());
    out += base::cat(" -> ", std::string(target.data(), static_cast<std::size_t>(length)));
  } else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    out += base::cat(" device=", major(status.st_rdev), ",", minor(status.st_rdev));
  }
  std::array<char, 4096> names{};
  const auto length = ::llistxattr(full.c_str(), names.data(), names.size());
  auto list = base::split(
      std::string(names.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))), '\0');
  std::sort(list.begin(), list.end());
  for (const auto& name : list) {
    if (name.empty()) {
      continue;
    }
    std::array<char, 4096> value{};
    const auto size = ::lgetxattr(full.c_str(), name.c_str(), value.data(), value.size());
    out += base::cat(" ", name, "=",
                     base::to_hex(std::string_view(
                         value.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)))));
  }
  return out;
}

std::string describe_tree(const std::string& root) {
  std::string out;
  const auto directory = base::open_directory(root);
  base::walk_tree(directory.fd(), [&](const std::string& path, const struct stat& status) {
    out += describe(root, path, status) + "\n";
    return true;
  });
  return out;
}

class RootSquashfs : public testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  /// A tree with all that a root file system may hold. Needs root.
  void make_tree() const {
    const auto root = path("tree");
    for (const auto* name : {"", "/etc", "/usr", "/usr/bin", "/dev", "/srv"}) {
      ASSERT_EQ(::mkdir((root + name).c_str(), 0755), 0);
    }
    write_file(root + "/etc/passwd", "root:x:0:0:\n");
    write_file(root + "/usr/bin/ping", std::string(300000, 'p'));
    ASSERT_EQ(::chown((root + "/usr/bin/ping").c_str(), 1000, 4000000), 0);
    ASSERT_EQ(::chmod((root + "/usr/bin/ping").c_str(), 04755), 0);
    run({"setcap", "cap_net_raw+ep", root + "/usr/bin/ping"});
    run({"setfattr", "-n", "user.note", "-v", "0x000102ff00", root + "/etc/passwd"});
    run({"setfattr", "-n", "trusted.note", "-v", "deep", root + "/etc"});
    ASSERT_EQ(::link((root + "/etc/passwd").c_str(), (root + "/etc/passwd-").c_str()), 0);
    ASSERT_EQ(::symlink("usr/bin", (root + "/bin").c_str()), 0);
    ASSERT_EQ(::mknod((root + "/dev/sda1").c_str(), S_IFBLK | 0660, makedev(8, 1)), 0);
    ASSERT_EQ(::mknod((root + "/dev/tty300").c_str(), S_IFCHR | 0620, makedev(4, 300)), 0);
    ASSERT_EQ(::mkfifo((root + "/dev/pipe").c_str(), 0600), 0);
    write_file(root + "/srv/\xc3\xa9t\xc3\xa9 \xe2\x98\x83", "snow");
    write_file(root + "/srv/latin-\xe9", "bytes");
    write_file(root + "/srv/unit\\x2d1.slice", "");
    write_file(root + "/srv/" + std::string(200, 'l'), "long name");
    auto sparse = base::open_file(root + "/srv/sparse", O_WRONLY | O_CREAT);
    sparse.seek(5U << 20U);
    sparse.write("middle");
    sparse.truncate(9U << 20U);
    sparse.close();
    for (const auto* name : {"/etc/passwd", "/usr/bin/ping", "/srv", "/usr"}) {
      const std::array<timespec, 2> times = {timespec{1000000000, 0}, timespec{1234567890, 0}};
      ASSERT_EQ(::utimensat(AT_FDCWD, (root + name).c_str(), times.data(), 0), 0);
    }
  }

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
  write_file(path("a.tar"), TarWriter().file("a", std::string(3U << 20U, 'x')).bytes());
  try {
    pack(path("a.tar"), path("no/such/directory/s"));
    FAIL() << "accepted";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("tar2sqfs: "));
    EXPECT_THAT(error.what(), HasSubstr("No such file"));
  }
}

}  // namespace
}  // namespace meph2::image

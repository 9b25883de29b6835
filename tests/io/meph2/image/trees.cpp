#include "tests/io/meph2/image/trees.h"

#include <algorithm>
#include <array>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "tests/io/meph2/image/tools.h"

namespace image_test {

std::string sha256(const std::string& path) {
  auto file = base::open_file(path, O_RDONLY);
  return io::digest_file(io::Algorithm::sha256, file);
}

namespace {

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

}  // namespace

std::string describe_tree(const std::string& root) {
  std::string out;
  const auto directory = base::open_directory(root);
  base::walk_tree(directory.fd(), [&](const std::string& path, const struct stat& status) {
    out += describe(root, path, status) + "\n";
    return true;
  });
  return out;
}

void make_full_tree(const std::string& root) {
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

}  // namespace image_test

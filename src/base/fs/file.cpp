#include "base/fs/file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/strings.h"

namespace base {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  reset();
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset() {
  if (fd_ >= 0) {
    ::close(release());
  }
}

namespace {

/// Runs a system call again while it is interrupted by a signal.
template <typename Call>
auto retry(Call call) -> decltype(call()) {
  decltype(call()) result{};
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

/// A fail point, then the call; throws "ACTION OBJECT: reason" when either fails.
template <typename Call>
void mutate(const char* call_name, std::string_view action, const std::string& object, Call call) {
  failpoint::pass(call_name, action, object);
  if (retry(call) == -1) {
    throw_errno(errno, action, object);
  }
}

}  // namespace

std::size_t File::read(std::span<char> buffer) {
  failpoint::reads(name_);
  const auto count = retry([&] { return ::read(fd(), buffer.data(), buffer.size()); });
  if (count < 0) {
    throw_errno(errno, "read", name_);
  }
  return static_cast<std::size_t>(count);
}

std::size_t File::read_at(std::span<char> buffer, std::uint64_t offset) const {
  failpoint::reads(name_);
  const auto count = retry(
      [&] { return ::pread(fd(), buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
  if (count < 0) {
    throw_errno(errno, "read", name_);
  }
  return static_cast<std::size_t>(count);
}

void File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    failpoint::pass("write", "write", name_);
    const auto wanted = failpoint::torn_size(bytes.size());
    const auto count = retry([&] { return ::write(fd(), bytes.data(), wanted); });
    if (count < 0) {
      throw_errno(errno, "write", name_);
    }
    if (wanted != bytes.size()) {
      failpoint::die();
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

struct stat File::status() const {
  struct stat status {};

  if (::fstat(fd(), &status) != 0) {
    throw_errno(errno, "stat", name_);
  }
  return status;
}

std::uint64_t File::size() const {
  return static_cast<std::uint64_t>(status().st_size);
}

void File::seek(std::uint64_t offset) {
  if (::lseek(fd(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw_errno(errno, "seek", name_);
  }
}

void File::truncate(std::uint64_t size) {
  mutate("ftruncate", "truncate", name_,
         [&] { return ::ftruncate(fd(), static_cast<off_t>(size)); });
}

void File::chmod(mode_t mode) {
  mutate("fchmod", "set mode of", name_, [&] { return ::fchmod(fd(), mode); });
}

void File::sync() {
  mutate("fsync", "sync", name_, [&] { return ::fsync(fd()); });
}

void File::start_writeback() noexcept {
  ::sync_file_range(fd(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

void File::close() {
  if (!fd_) {
    return;
  }
  // After close() the descriptor is gone whatever it returned: never try again.
  const int fd = fd_.release();
  const int injected = failpoint::check("close", name_);
  const int result = ::close(fd);
  if (injected != 0 || (result != 0 && errno != EINTR)) {
    throw_errno(injected != 0 ? injected : errno, "close", name_);
  }
}

File open_file_at(int dirfd, const std::string& path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0) {
    failpoint::pass("open", "create", path);
  }
  UniqueFd fd(retry([&] { return ::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd) {
    throw_errno(errno, (flags & O_CREAT) != 0 ? "create" : "open", path);
  }
  return {std::move(fd), path};
}

File open_file(const std::string& path, int flags, mode_t mode) {
  return open_file_at(AT_FDCWD, path, flags, mode);
}

File open_directory(const std::string& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

File open_directory_at(int dirfd, const std::string& name) {
  return open_file_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

File duplicate(const File& file) {
  File copy(UniqueFd(::fcntl(file.fd(), F_DUPFD_CLOEXEC, 0)), file.name());
  if (!copy) {
    throw_errno(errno, "duplicate", file.name());
  }
  copy.seek(0);
  return copy;
}

std::string read_all(File& file, std::uint64_t limit) {
  std::string out;
  const auto status = file.status();
  if (S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > limit) {
      throw Error(Errc::untrusted, cat("read ", file.name(), ": ", status.st_size,
                                       " bytes, more than the limit of ", limit));
    }
    out.reserve(static_cast<std::size_t>(status.st_size));
  }
  std::array<char, 65536> buffer{};
  while (const auto count = file.read(buffer)) {
    if (out.size() + count > limit) {
      throw Error(Errc::untrusted, cat("read ", file.name(), ": more than ", limit, " bytes"));
    }
    out.append(buffer.data(), count);
  }
  return out;
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  auto file = open_file(path, O_RDONLY);
  return read_all(file, limit);
}

void sync_directory(int dirfd, const std::string& name) {
  mutate("fsync", "sync directory", name, [&] { return ::fsync(dirfd); });
}

void sync_filesystem(int fd, const std::string& name) {
  mutate("syncfs", "sync file system of", name, [&] { return ::syncfs(fd); });
}

std::string real_path(int fd) {
  std::string target(4097, '\0');
  const auto link = cat("/proc/self/fd/", fd);
  const auto length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) {
    throw_errno(errno, "read link", link);
  }
  target.resize(static_cast<std::size_t>(length));
  return target;
}

bool same_file(int one, int other) {
  struct stat first {};

  struct stat second {};

  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

void make_directory_at(int dirfd, const std::string& path, mode_t mode) {
  mutate("mkdir", "make directory", path, [&] { return ::mkdirat(dirfd, path.c_str(), mode); });
}

bool make_if_absent_at(int dirfd, const std::string& path, mode_t mode) {
  try {
    make_directory_at(dirfd, path, mode);
    return true;
  } catch (const Error& error) {
    if (error.sys_errno() != EEXIST) {
      throw;
    }
    return false;
  }
}

void rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  mutate("rename", "rename to", to,
         [&] { return ::renameat(from_dir, from.c_str(), to_dir, to.c_str()); });
}

bool rename_noreplace_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  failpoint::pass("rename", "rename to", to);
  if (::renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EINVAL || errno == ENOSYS) {
    if (::linkat(from_dir, from.c_str(), to_dir, to.c_str(), 0) == 0) {
      unlink_at(from_dir, from);
      return true;
    }
  }
  if (errno == EEXIST) {
    return false;
  }
  throw_errno(errno, "rename to", to);
}

bool exchange_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  failpoint::pass("exchange", "exchange", to);
#ifdef MEPH2_FAILPOINTS
  if (std::getenv("SS_TEST_NO_EXCHANGE") != nullptr) {
    return false;
  }
#endif
  if (::renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_EXCHANGE) == 0) {
    return true;
  }
  if (errno == EINVAL || errno == ENOSYS) {
    return false;
  }
  throw_errno(errno, "exchange", to);
}

bool unlink_at(int dirfd, const std::string& path) {
  failpoint::pass("unlink", "remove", path);
  if (::unlinkat(dirfd, path.c_str(), 0) == 0) {
    return true;
  }
  if (errno == ENOENT) {
    return false;
  }
  throw_errno(errno, "remove", path);
}

bool remove_directory_at(int dirfd, const std::string& path) {
  failpoint::pass("rmdir", "remove directory", path);
  if (::unlinkat(dirfd, path.c_str(), AT_REMOVEDIR) == 0) {
    return true;
  }
  if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) {
    return false;
  }
  throw_errno(errno, "remove directory", path);
}

std::optional<struct stat> status_of(int dirfd, const std::string& path) {
  struct stat status {};

  if (::fstatat(dirfd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return status;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return std::nullopt;
  }
  throw_errno(errno, "stat", path);
}

bool exists_at(int dirfd, const std::string& path) {
  return status_of(dirfd, path).has_value();
}

bool is_file_at(int dirfd, const std::string& path) {
  const auto status = status_of(dirfd, path);
  return status && S_ISREG(status->st_mode);
}

std::uint64_t free_bytes(int fd) {
  struct statvfs status {};

  if (::fstatvfs(fd, &status) != 0) {
    throw_errno(errno, "stat", "file system");
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

void make_directories(const std::string& path) {
  for (auto slash = path.find('/', 1); true; slash = path.find('/', slash + 1)) {
    const auto part = path.substr(0, slash);
    if (!exists_at(AT_FDCWD, part)) {
      make_if_absent_at(AT_FDCWD, part);  // somebody else may make it meanwhile
    }
    if (slash == std::string::npos) {
      return;
    }
  }
}

}  // namespace base

#include "base/fs/file_lock.h"

#include <cerrno>
#include <thread>

#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs/identity.h"
#include "base/strings.h"

namespace base {

namespace {

constexpr auto poll_interval = std::chrono::milliseconds(50);

std::string holder_of(File& file) {
  file.seek(0);
  auto text = std::string(trim(read_all(file, 4096)));
  return text.empty() ? "another process" : escape_control(text);
}

/// Somebody may have removed or replaced the file between open and flock: then we locked nothing.
bool still_in_place(const File& file, int dirfd, const std::string& name) {
  const auto there = status_of(dirfd, name);
  const auto here = file.status();
  return there && there->st_ino == here.st_ino && there->st_dev == here.st_dev;
}

void write_holder(File& file) {
  const auto text = cat("pid ", ::getpid(), " on ", host_name(), ", ", command_line(), ", since ",
                        format_stamp(SystemClock().now()), "\n");
  if (::ftruncate(file.fd(), 0) == 0 && ::lseek(file.fd(), 0, SEEK_SET) == 0) {
    [[maybe_unused]] const auto written = ::write(file.fd(), text.data(), text.size());
  }
}

}  // namespace

FileLock::FileLock(int dirfd, const std::string& name, LockMode mode, std::chrono::seconds timeout,
                   const std::function<void(const std::string&)>& on_wait) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const int operation = (mode == LockMode::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
  while (true) {
    File file(open_file_at(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
    const bool got = ::flock(file.fd(), operation) == 0;
    if (!got && errno != EWOULDBLOCK && errno != EINTR) {
      throw_errno(errno, "lock", name);
    }
    if (got && still_in_place(file, dirfd, name)) {
      if (mode == LockMode::exclusive) {
        write_holder(file);
      }
      file_ = std::move(file);
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(Errc::locked, cat("lock ", name, ": held by ", holder_of(file)));
    }
    if (on_wait) {
      on_wait(holder_of(file));
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

bool lock_is_free(int dirfd, const std::string& name) {
  if (!exists_at(dirfd, name)) {
    return true;
  }
  const auto file = open_file_at(dirfd, name, O_RDONLY | O_NOFOLLOW);
  if (::flock(file.fd(), LOCK_EX | LOCK_NB) == 0) {
    return true;
  }
  if (errno != EWOULDBLOCK) {
    throw_errno(errno, "lock", name);
  }
  return false;
}

}  // namespace base

#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/fs/file.h"

namespace base {

enum class LockMode { shared, exclusive };

/// flock() on a file that is never unlinked. The kernel drops it when the process ends, so a lock
/// is never stale; the text inside (pid, command, since) is information only. O_CLOEXEC: children
/// do not hold it.
class FileLock {
 public:
  FileLock() = default;

  /// Waits up to `timeout`; then Error(locked) that names the holder. `on_wait(holder)` is called
  /// several times a second while it waits; what it throws ends the wait.
  FileLock(int dirfd, const std::string& name, LockMode mode, std::chrono::seconds timeout,
           const std::function<void(const std::string& holder)>& on_wait = {});

  explicit operator bool() const { return static_cast<bool>(file_); }

  void release() { file_ = File(); }

 private:
  File file_;
};

/// Whether nobody holds the lock at this moment, shared or exclusive; changes nothing. True where
/// there is no such file.
bool lock_is_free(int dirfd, const std::string& name);

}  // namespace base

#include "sstream/staging/staging_area.h"

#include <cerrno>
#include <chrono>

#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr auto stale_after = std::chrono::days(3);

base::File open_or_make(int dirfd, const std::string& name) {
  if (!base::exists_at(dirfd, name)) {
    base::make_if_absent_at(dirfd, name, 0700);
  }
  return base::open_directory_at(dirfd, name);
}

/// false, with errno, where the lock cannot be had.
bool take_lock(const base::File& directory, int how) {
  int result = -1;
  do {
    result = ::flock(directory.fd(), how);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

/// Staging directories are made, taken over and removed by one process at a time: a directory whose
/// owner has not locked it yet looks dead. Waits; the others hold it for a few renames only.
void wait_turn(const base::File& all) {
  if (!take_lock(all, LOCK_EX)) {
    base::throw_errno(errno, "lock", all.name());
  }
}

/// false: somebody else has it, and is alive.
bool take_if_free(const base::File& directory) {
  if (take_lock(directory, LOCK_EX | LOCK_NB)) {
    return true;
  }
  if (errno != EWOULDBLOCK) {
    base::throw_errno(errno, "lock", directory.name());
  }
  return false;
}

}  // namespace

StagingArea::StagingArea(const Repository& repository, const base::Clock& clock)
    : all_(open_or_make(repository.private_dir(), "txn")) {
  wait_turn(all_);
  do {  // a process in another container may have our number
    name_ = base::cat(::getpid(), "-", ++count);
    own_ = open_or_make(all_.fd(), name_);
    base::failpoint::sync("before-staging-lock");
  } while (!take_if_free(own_));
  const auto limit = (clock.now() - stale_after).time_since_epoch().count();
  for (const auto& name : base::list_directory(all_.fd())) {
    if (name != name_) {
      take_over(name, limit);
    }
  }
  ::flock(all_.fd(), LOCK_UN);
}

/// Waits its turn, for a few renames of others: who takes over looks at a directory before opening
/// it. Without the turn (which no file system refuses that gave it before) that one run could fail.
StagingArea::~StagingArea() {
  take_lock(all_, LOCK_EX);
  ::unlinkat(all_.fd(), name_.c_str(), AT_REMOVEDIR);
}

void StagingArea::take_over(const std::string& name, std::int64_t limit) {
  const auto found = base::status_of(all_.fd(), name);
  if (!found || !S_ISDIR(found->st_mode)) {
    return;
  }
  const auto dead = base::open_directory_at(all_.fd(), name);
  if (!take_if_free(dead)) {
    return;  // its transaction is alive
  }
  for (const auto& file : base::list_directory(dead.fd())) {
    const auto status = base::status_of(dead.fd(), file);
    const bool stale = status && status->st_mtime < limit;
    if (stale || !base::rename_noreplace_at(dead.fd(), file, fd(), file)) {
      base::unlink_at(dead.fd(), file);
    }
  }
  base::remove_directory_at(all_.fd(), name);
}

}  // namespace sstream

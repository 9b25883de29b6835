#include "sstream/staging.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <numeric>
#include <span>

#include <sys/file.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/stop.h"
#include "base/strings.h"
#include "base/tree.h"
#include "base/worker_pool.h"

namespace sstream {

namespace {

constexpr std::uint64_t space_reserve = 16ULL << 20U;
constexpr auto stale_after = std::chrono::days(3);

base::File open_or_make(int dirfd, const std::string& name) {
  if (!base::exists_at(dirfd, name)) {
    try {
      base::make_directory_at(dirfd, name, 0700);
    } catch (const base::Error& error) {
      if (error.sys_errno() != EEXIST) {
        throw;
      }
    }
  }
  return base::open_file_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// Staging directories are made, taken over and removed by one process at a time: a directory whose
/// owner has not locked it yet looks dead. Waits; the others hold it for a few renames only.
void wait_turn(const base::File& all) {
  while (::flock(all.fd(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      base::throw_errno(errno, "lock", all.name());
    }
  }
}

/// The directory that one transaction stages in, locked while it lives. Files in it are named by
/// their digest; what a dead transaction left is taken over, so that a download goes on where it
/// stopped.
class StagingArea {
 public:
  StagingArea(const Repository& repository, const base::Clock& clock)
      : all_(open_or_make(repository.private_dir(), "txn")),
        name_(base::cat(::getpid(), "-", ++count)) {
    wait_turn(all_);
    own_ = open_or_make(all_.fd(), name_);
    base::failpoint::sync("before-staging-lock");
    ::flock(own_.fd(), LOCK_EX | LOCK_NB);
    const auto limit = (clock.now() - stale_after).time_since_epoch().count();
    for (const auto& name : base::list_directory(all_.fd())) {
      if (name != name_) {
        take_over(name, limit);
      }
    }
    ::flock(all_.fd(), LOCK_UN);
  }

  StagingArea(const StagingArea&) = delete;
  StagingArea& operator=(const StagingArea&) = delete;

  ~StagingArea() {
    ::flock(all_.fd(), LOCK_EX);
    ::unlinkat(all_.fd(), name_.c_str(), AT_REMOVEDIR);
  }

  int fd() const { return own_.fd(); }

 private:
  void take_over(const std::string& name, std::int64_t limit) {
    struct stat status {};

    if (!base::status_at(all_.fd(), name, status) || !S_ISDIR(status.st_mode)) {
      return;
    }
    const auto dead = base::open_file_at(all_.fd(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (::flock(dead.fd(), LOCK_EX | LOCK_NB) != 0) {
      return;  // its transaction is alive
    }
    for (const auto& file : base::list_directory(dead.fd())) {
      if (base::status_at(dead.fd(), file, status) && status.st_mtime < limit) {
        base::unlink_at(dead.fd(), file);
      } else if (!base::rename_noreplace_at(dead.fd(), file, fd(), file)) {
        base::unlink_at(dead.fd(), file);
      }
    }
    base::remove_directory_at(all_.fd(), name);
  }

  static inline std::atomic<unsigned> count{0};
  base::File all_;
  std::string name_;
  base::File own_;
};

/// Paths that get the same content.
using Group = std::vector<const NewFile*>;

const std::string& staged_name(const Group& group) {
  const auto& expected = group.front()->expected;
  return !expected.sha512.empty()   ? expected.sha512
         : !expected.sha256.empty() ? expected.sha256
                                    : expected.md5;
}

[[noreturn]] void throw_conflict(const std::string& path, const std::string& reason) {
  throw base::Error(base::Errc::conflict,
                    base::cat(path, ": is there already with other content (", reason, ")"));
}

void verify_in_place(base::File& file, const NewFile& wanted) {
  if (wanted.known && file.size() == wanted.expected.size) {
    return;
  }
  try {
    verify_file(file, wanted.expected);
  } catch (const base::Error& error) {
    throw_conflict(wanted.path, error.reason());
  }
}

/// true when the file is there with the right content.
bool in_place(const Repository& repository, const NewFile& wanted) {
  if (repository.root() < 0) {
    return false;  // a dry run for a repository that does not exist yet
  }
  const auto place = repository.place(wanted.path);
  auto file = base::find_beneath(place.dirfd, place.path, O_RDONLY);
  if (!file) {
    return false;
  }
  verify_in_place(file, wanted);
  return true;
}

/// The staged file is whole: fit for its final name.
void seal(base::File& file) {
  file.chmod(0644);
  file.sync();
}

base::File open_origin(const NewFile& wanted) {
  auto source = base::open_file(wanted.origin, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!S_ISREG(source.status().st_mode)) {
    throw base::Error(base::Errc::untrusted, base::cat(wanted.origin, ": not a regular file"));
  }
  return source;
}

void stage_local(const StagingArea& staging, const Group& group) {
  const auto& wanted = *group.front();
  const auto& name = staged_name(group);
  auto source = open_origin(wanted);
  base::unlink_at(staging.fd(), name);
  base::clone_file(source, staging.fd(), name, wanted.may_link);
  auto file = base::open_file_at(staging.fd(), name, O_RDONLY | O_NOFOLLOW);
  file.set_name(wanted.origin);
  verify_file(file, wanted.expected);
  seal(file);
}

/// Runs one file's work; what it throws is kept, with the file's name.
class Failures {
 public:
  template <typename Work>
  void collect(const Group& group, Work work) {
    try {
      base::with_context(base::cat("add ", group.front()->path), work);
    } catch (const base::Error&) {
      const std::scoped_lock lock(mutex_);
      first_ = first_ ? first_ : std::current_exception();
      ++count_;
    }
  }

  explicit operator bool() const { return count_ > 0; }

  [[noreturn]] void raise(std::size_t all) const { throw FilesFailed{first_, count_, all}; }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
  std::size_t count_ = 0;
};

void stage_all_local(const StagingArea& staging, const std::vector<Group>& groups,
                     const Context& context, Failures& failures) {
  base::parallel_for(groups.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
    base::check_stop(context.stop);
    failures.collect(groups[i], [&] { stage_local(staging, groups[i]); });
    context.progress.add_bytes(groups[i].front()->expected.size);
    context.progress.finish_item(groups[i].front()->path);
  });
  if (failures) {  // copies of local files are cheap to make again
    for (const auto& group : groups) {
      base::unlink_at(staging.fd(), staged_name(group));
    }
  }
}

/// What a run that died had linked belongs to somebody else as well: it is never written to.
void drop_link(int dirfd, const std::string& name) {
  struct stat status {};

  if (base::status_at(dirfd, name, status) && status.st_nlink > 1) {
    base::unlink_at(dirfd, name);
  }
}

bool has_several_digests(const Checksums& sums) {
  return (sums.md5.empty() ? 0 : 1) + (sums.sha256.empty() ? 0 : 1) +
             (sums.sha512.empty() ? 0 : 1) >
         1;
}

void stage_remote_batch(const StagingArea& staging, std::span<const Group> groups,
                        const Context& context, Failures& failures) {
  std::vector<base::File> files(groups.size());
  std::vector<io::FileRequest> requests(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& wanted = *groups[i].front();
    drop_link(staging.fd(), staged_name(groups[i]));
    files[i] = base::open_file_at(staging.fd(), staged_name(groups[i]),
                                  O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    auto& request = requests[i];
    request.url = wanted.origin;
    request.mirrors = wanted.mirrors;
    request.size = wanted.expected.size;
    std::tie(request.algorithm, request.digest) = wanted.expected.strongest();
    request.into = &files[i];
  }
  context.http.fetch(
      requests, context.progress,
      [&](std::size_t i, const std::exception_ptr& error) {
        failures.collect(groups[i], [&] {
          if (error) {
            std::rethrow_exception(error);
          }
          // The download has compared the strongest digest, and the size.
          if (has_several_digests(groups[i].front()->expected)) {
            verify_file(files[i], groups[i].front()->expected);
          }
          seal(files[i]);
        });
      },
      context.stop);
}

/// In batches, so that the number of open files stays bounded.
void stage_all_remote(const StagingArea& staging, std::span<const Group> groups,
                      const Context& context, Failures& failures) {
  constexpr std::size_t batch = 256;
  for (std::size_t start = 0; start < groups.size(); start += batch) {
    stage_remote_batch(staging, groups.subspan(start, std::min(batch, groups.size() - start)),
                       context, failures);
  }
}

/// The directories that files are placed in: many files go into few of them.
class Parents {
 public:
  explicit Parents(const Repository& repository) : repository_(repository) {}

  /// The directory of `path`, made if absent.
  const base::File& of(const std::string& path) {
    const auto directory = path.substr(0, path.size() - base::base_name(path).size());
    const auto known = open_.find(directory);
    if (known != open_.end()) {
      return known->second;
    }
    if (open_.size() == most_open) {
      sync();
    }
    const auto place = repository_.place(path);
    return open_.emplace(directory, base::open_parent_beneath(place.dirfd, place.path, true))
        .first->second;
  }

  /// Makes the names in all of them last.
  void sync() {
    for (const auto& [directory, opened] : open_) {
      base::sync_directory(opened.fd(), directory);
    }
    open_.clear();
  }

 private:
  static constexpr std::size_t most_open = 64;

  const Repository& repository_;
  std::map<std::string, base::File> open_;
};

/// Gives a staged file its final name.
void place(const Repository& repository, int staging, const std::string& staged,
           const NewFile& wanted, Parents& parents) {
  const auto name = base::base_name(wanted.path);
  const auto& parent = parents.of(wanted.path);
  if (wanted.replace) {
    base::rename_at(staging, staged, parent.fd(), name);
  } else if (!base::rename_noreplace_at(staging, staged, parent.fd(), name)) {
    in_place(repository, wanted);  // somebody else brought it in: the same content, or a conflict
    base::unlink_at(staging, staged);
  }
}

void place_group(const Repository& repository, int staging, const Group& group, Parents& parents) {
  const auto& staged = staged_name(group);
  for (std::size_t i = 1; i < group.size(); ++i) {
    auto source = base::open_file_at(staging, staged, O_RDONLY | O_NOFOLLOW);
    const auto copy = base::cat(staged, ".", i);
    base::unlink_at(staging, copy);
    base::clone_file(source, staging, copy, false);
    place(repository, staging, copy, *group[i], parents);
  }
  place(repository, staging, staged, *group.front(), parents);
}

std::vector<Group> group_by_content(const std::vector<NewFile>& files, bool remote) {
  std::map<std::string, Group> groups;
  for (const auto& file : files) {
    if (io::is_http_url(file.origin) == remote) {
      groups[staged_name({&file})].push_back(&file);
    }
  }
  std::vector<Group> out;
  for (auto& group : groups) {
    out.push_back(std::move(group.second));
  }
  return out;
}

}  // namespace

StagedFiles find_missing(const Repository& repository, const std::vector<NewFile>& files,
                         const Context& context) {
  std::map<std::string, const NewFile*> by_path;
  std::vector<const NewFile*> unique;
  for (const auto& file : files) {
    const auto [entry, added] = by_path.emplace(file.path, &file);
    if (added) {
      unique.push_back(&file);
    } else if (entry->second->expected.strongest() != file.expected.strongest() ||
               entry->second->expected.size != file.expected.size) {
      throw_conflict(file.path, base::cat("two items name it, with ",
                                          entry->second->expected.strongest().second, " and ",
                                          file.expected.strongest().second));
    }
  }
  std::vector<char> there(unique.size(), 0);
  base::parallel_for(unique.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
    base::check_stop(context.stop);
    there[i] = in_place(repository, *unique[i]) ? 1 : 0;
  });
  StagedFiles staged;
  for (std::size_t i = 0; i < unique.size(); ++i) {
    if (there[i] != 0) {
      ++staged.reused;
    } else {
      staged.missing.push_back(*unique[i]);
      staged.bytes += unique[i]->expected.size;
    }
  }
  return staged;
}

void verify_origin(const NewFile& wanted) {
  auto file = open_origin(wanted);
  verify_file(file, wanted.expected);
}

void require_space(const Repository& repository, std::uint64_t bytes) {
  const auto free = base::free_bytes(repository.root());
  const auto needed = bytes + space_reserve;
  if (free < needed) {
    base::Error error(
        base::Errc::failed,
        base::cat(repository.path(), ": No space left on device (need ", base::human_bytes(needed),
                  ", free ", base::human_bytes(free), ")"));
    error.set_errno(ENOSPC);
    throw error;
  }
}

Presence presence_of(const Repository& repository, const NewFile& wanted) {
  try {
    return in_place(repository, wanted) ? Presence::right : Presence::absent;
  } catch (const base::Error& error) {
    if (wanted.replace && error.code() == base::Errc::conflict) {
      return Presence::other;
    }
    throw;
  }
}

void bring_in(const Repository& repository, const std::vector<NewFile>& missing,
              const Context& context) {
  if (missing.empty()) {
    return;
  }
  try {
    StagedBatch(repository, missing, context).place();
  } catch (const FilesFailed& failed) {
    if (failed.count > 1) {
      context.log.error(base::cat(failed.count, " of ", failed.all,
                                  " files could not be had; the first follows"));
    }
    std::rethrow_exception(failed.first);
  }
}

struct StagedBatch::State {
  State(const Repository& to, std::vector<NewFile> wanted, const Context& context)
      : repository(to),
        files(std::move(wanted)),
        area(to, context.clock),
        local(group_by_content(files, false)),
        remote(group_by_content(files, true)) {}

  const Repository& repository;
  std::vector<NewFile> files;
  StagingArea area;
  std::vector<Group> local;
  std::vector<Group> remote;
};

StagedBatch::StagedBatch(const Repository& repository, std::vector<NewFile> missing,
                         const Context& context)
    : state_(std::make_unique<State>(repository, std::move(missing), context)) {
  const auto& state = *state_;
  // What is downloaded reports its own progress.
  const auto bytes = std::accumulate(
      state.local.begin(), state.local.end(), std::uint64_t{0},
      [](std::uint64_t sum, const Group& group) { return sum + group.front()->expected.size; });
  context.progress.expect(bytes, state.local.size());
  Failures failures;
  stage_all_local(state.area, state.local, context, failures);
  if (!state.remote.empty()) {
    stage_all_remote(state.area, state.remote, context, failures);
  }
  if (failures) {
    failures.raise(state.files.size());
  }
  base::check_stop(context.stop);
}

StagedBatch::StagedBatch(StagedBatch&&) noexcept = default;
StagedBatch& StagedBatch::operator=(StagedBatch&&) noexcept = default;
StagedBatch::~StagedBatch() = default;

void StagedBatch::place() {
  base::failpoint::sync("before-data-rename");
  const auto& repository = state_->repository;
  Parents parents(repository);
  for (const auto* groups : {&state_->local, &state_->remote}) {
    for (const auto& group : *groups) {
      place_group(repository, state_->area.fd(), group, parents);
    }
  }
  parents.sync();
}

}  // namespace sstream

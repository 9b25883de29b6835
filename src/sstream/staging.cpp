#include "sstream/staging.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
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

base::File open_staging(const Repository& repository) {
  if (!base::exists_at(repository.private_dir(), "txn")) {
    try {
      base::make_directory_at(repository.private_dir(), "txn", 0700);
    } catch (const base::Error& error) {
      if (error.sys_errno() != EEXIST) {
        throw;
      }
    }
  }
  return base::open_file_at(repository.private_dir(), "txn", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// A file being staged, named after its content, so that the next run finds what this one had
/// fetched. Locked while in use; a second process that stages the same content takes a name of its
/// own.
class Part {
 public:
  Part(int directory, const Checksums& expected)
      : directory_(directory), name_(expected.strongest().second) {
    file_ = base::open_file_at(directory, name_, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (::flock(file_.fd(), LOCK_EX | LOCK_NB) != 0) {
      name_ += base::cat(".", ::getpid());
      file_ = base::open_file_at(directory, name_, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    }
  }

  base::File& file() { return file_; }

  const std::string& name() const { return name_; }

  /// Starts over with the content of a local file.
  void fill_from(base::File& source, bool may_link) {
    file_.close();
    base::unlink_at(directory_, name_);
    base::clone_file(source, directory_, name_, may_link);
    file_ = base::open_file_at(directory_, name_, O_RDONLY | O_NOFOLLOW);
  }

  void discard() {
    file_.close();
    base::unlink_at(directory_, name_);
  }

 private:
  int directory_;
  std::string name_;
  base::File file_;
};

base::File open_parent(const Repository& repository, const std::string& path, std::string& name) {
  const auto place = repository.place(path);
  name = base::base_name(place.path);
  return base::open_parent_beneath(place.dirfd, place.path, true);
}

[[noreturn]] void throw_conflict(const std::string& path, const std::string& reason) {
  throw base::Error(base::Errc::conflict,
                    base::cat(path, ": is there already with other content (", reason, ")"));
}

/// true when the file is there with the right content.
bool in_place(const Repository& repository, const NewFile& wanted) {
  if (repository.root() < 0) {
    return false;  // a dry run for a repository that does not exist yet
  }
  const auto place = repository.place(wanted.path);
  base::File file;
  try {
    file = base::open_beneath(place.dirfd, place.path, O_RDONLY);
  } catch (const base::Error& error) {
    if (error.code() == base::Errc::not_found) {
      return false;
    }
    throw;
  }
  try {
    verify_file(file, wanted.expected);
  } catch (const base::Error& error) {
    throw_conflict(wanted.path, error.reason());
  }
  return true;
}

void publish_part(const Repository& repository, Part& part, int staging, const NewFile& wanted) {
  part.file().chmod(0644);
  part.file().sync();
  std::string name;
  const auto parent = open_parent(repository, wanted.path, name);
  base::failpoint::sync("before-data-rename");
  if (!base::rename_noreplace_at(staging, part.name(), parent.fd(), name)) {
    in_place(repository, wanted);  // somebody else brought it in: the same content, or a conflict
    part.discard();
  }
  base::sync_directory(parent.fd(), wanted.path);
}

/// A local origin: moved when it is ours and on the same file system, else cloned; always verified.
void bring_in_local(const Repository& repository, int staging, const NewFile& wanted) {
  auto source = base::open_file(wanted.origin, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!S_ISREG(source.status().st_mode)) {
    throw base::Error(base::Errc::untrusted, base::cat(wanted.origin, ": not a regular file"));
  }
  Part part(staging, wanted.expected);
  try {
    part.fill_from(source, wanted.may_link || wanted.may_move);
    verify_file(part.file(), wanted.expected);
  } catch (const base::Error&) {
    part.discard();
    throw;
  }
  publish_part(repository, part, staging, wanted);
}

void bring_in_all_local(const Repository& repository, int staging,
                        const std::vector<const NewFile*>& files, const Context& context,
                        const std::function<void(const std::exception_ptr&)>& failed) {
  std::mutex mutex;
  base::parallel_for(files.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
    base::check_stop(context.stop);
    try {
      base::with_context(base::cat("add ", files[i]->path),
                         [&] { bring_in_local(repository, staging, *files[i]); });
      context.progress.add_bytes(files[i]->expected.size);
      context.progress.finish_item(files[i]->path);
    } catch (const base::Error&) {
      const std::scoped_lock lock(mutex);
      failed(std::current_exception());
    }
  });
}

void bring_in_remote_batch(const Repository& repository, int staging,
                           std::span<const NewFile* const> files, const Context& context,
                           const std::function<void(const std::exception_ptr&)>& failed) {
  std::vector<Part> parts;
  std::vector<io::FileRequest> requests(files.size());
  parts.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    parts.emplace_back(staging, files[i]->expected);
    auto& request = requests[i];
    request.url = files[i]->origin;
    request.size = files[i]->expected.size;
    std::tie(request.algorithm, request.digest) = files[i]->expected.strongest();
    request.into = &parts[i].file();
  }
  context.http.fetch(
      requests, context.progress,
      [&](std::size_t i, const std::exception_ptr& error) {
        try {
          if (error) {
            std::rethrow_exception(error);
          }
          base::with_context(base::cat("add ", files[i]->path), [&] {
            verify_file(parts[i].file(), files[i]->expected);
            publish_part(repository, parts[i], staging, *files[i]);
          });
          context.progress.finish_item(files[i]->path);
        } catch (const base::Error&) {
          failed(std::current_exception());
        }
      },
      context.stop);
}

/// In batches, so that the number of open files stays bounded.
void bring_in_all_remote(const Repository& repository, int staging,
                         std::span<const NewFile* const> files, const Context& context,
                         const std::function<void(const std::exception_ptr&)>& failed) {
  constexpr std::size_t batch = 64;
  for (std::size_t start = 0; start < files.size(); start += batch) {
    bring_in_remote_batch(repository, staging,
                          files.subspan(start, std::min(batch, files.size() - start)), context,
                          failed);
  }
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

void bring_in(const Repository& repository, const std::vector<NewFile>& missing,
              const Context& context) {
  if (missing.empty()) {
    return;
  }
  const auto staging = open_staging(repository);
  std::vector<const NewFile*> local;
  std::vector<const NewFile*> remote;
  std::uint64_t bytes = 0;
  for (const auto& file : missing) {
    (io::is_http_url(file.origin) ? remote : local).push_back(&file);
    bytes += file.expected.size;
  }
  context.progress.expect(bytes, missing.size());
  std::exception_ptr first;
  std::size_t failures = 0;
  const auto failed = [&](const std::exception_ptr& error) {
    first = first ? first : error;
    ++failures;
  };
  bring_in_all_local(repository, staging.fd(), local, context, failed);
  if (!remote.empty()) {
    bring_in_all_remote(repository, staging.fd(), remote, context, failed);
  }
  if (first && failures > 1) {
    context.log.error(base::cat(failures, " of ", missing.size(),
                                " files could not be added; the first follows"));
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

void remove_stale_staging(const Repository& repository, const base::Clock& clock) {
  if (!base::exists_at(repository.private_dir(), "txn")) {
    return;
  }
  const auto staging = open_staging(repository);
  const auto limit = (clock.now() - stale_after).time_since_epoch().count();
  for (const auto& name : base::list_directory(staging.fd())) {
    struct stat status {};

    if (!base::status_at(staging.fd(), name, status) || status.st_mtime > limit ||
        S_ISDIR(status.st_mode)) {
      continue;
    }
    const auto file = base::open_file_at(staging.fd(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (::flock(file.fd(), LOCK_EX | LOCK_NB) == 0) {
      base::unlink_at(staging.fd(), name);
    }
  }
}

}  // namespace sstream

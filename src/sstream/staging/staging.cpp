#include "sstream/staging/staging.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/staging/staging_run.h"

namespace sstream {

namespace {

constexpr std::uint64_t space_reserve = 16ULL << 20U;

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

/// What is to be fetched or copied; equal content counts once.
void announce(const std::vector<NewFile>& sorted, base::Progress& progress) {
  std::uint64_t bytes = 0;
  std::uint64_t contents = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i == 0 || staged_name(sorted[i - 1]) != staged_name(sorted[i])) {
      bytes += sorted[i].expected.size;
      ++contents;
    }
  }
  progress.expect(bytes, contents);
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

base::File open_origin(const NewFile& wanted) {
  auto source = base::open_file(wanted.origin, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!S_ISREG(source.status().st_mode)) {
    throw base::Error(base::Errc::untrusted, base::cat(wanted.origin, ": not a regular file"));
  }
  return source;
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
  auto files = missing;
  std::stable_sort(files.begin(), files.end(), [](const NewFile& one, const NewFile& other) {
    return staged_name(one) < staged_name(other);
  });
  announce(files, context.progress);
  const StagingArea area(repository, context.clock);
  std::vector<StagedBatch> whole;
  StagingRun run(repository, area, context,
                 [&](StagedBatch batch) { whole.push_back(std::move(batch)); });
  for (auto& file : files) {
    run.add(std::move(file));
  }
  run.finish();
  for (auto& batch : whole) {
    batch.place();
  }
}

}  // namespace sstream

#include "sstream/staging/staging.h"

#include <algorithm>
#include <cerrno>
#include <functional>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/parent_cache.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/staging/staging_run.h"

namespace sstream {

namespace {

constexpr std::uint64_t space_reserve = 16ULL << 20U;
constexpr std::size_t batch_size = 512;

/// Whether a file may be there: where its directory is missing, as that of a new version, it is
/// not.
bool has_directory(const Repository& repository, const std::string& path,
                   base::ParentCache& parents) {
  if (repository.root() < 0) {
    return false;
  }
  const auto place = repository.place(path);
  return static_cast<bool>(parents.of(place.dirfd, place.path));
}

/// Hands out a list in pieces of bounded length.
void for_each_batch(const FileList& files,
                    const std::function<void(std::vector<FileEntry>& batch)>& visit) {
  std::vector<FileEntry> batch;
  files.for_each([&](const FileEntry& entry) {
    batch.push_back(entry);
    if (batch.size() == batch_size) {
      visit(batch);
      batch.clear();
    }
  });
  if (!batch.empty()) {
    visit(batch);
  }
}

}  // namespace

StagedFiles find_missing(const Repository& repository, const FileList& files,
                         const Context& context) {
  StagedFiles staged{.missing = FileList(files.naming())};
  base::ParentCache parents;
  for_each_batch(files, [&](std::vector<FileEntry>& batch) {
    std::vector<Presence> found(batch.size(), Presence::absent);
    std::vector<std::size_t> maybe;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (has_directory(repository, batch[i].file.path, parents)) {
        maybe.push_back(i);
      }
    }
    base::parallel_for(maybe.size(), base::reader_count(), [&](std::size_t i) {
      base::check_stop(context.stop);
      found[maybe[i]] = presence_of(repository, batch[maybe[i]].file);
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].file.replace = found[i] == Presence::other;
      if (found[i] == Presence::right) {
        ++staged.reused;
      } else {
        staged.missing.add(batch[i]);
      }
    }
  });
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
  if (repository.root() < 0) {
    return Presence::absent;  // a dry run for a repository that does not exist yet
  }
  const auto place = repository.place(wanted.path);
  auto file = base::find_beneath(place.dirfd, place.path, O_RDONLY);
  if (!file) {
    return Presence::absent;
  }
  if (wanted.known && file.size() == wanted.expected.size) {
    return Presence::right;
  }
  try {
    verify_file(file, wanted.expected);
    return Presence::right;
  } catch (const base::Error& error) {
    if (wanted.replace) {
      return Presence::other;
    }
    throw base::Error(
        base::Errc::conflict,
        base::cat(wanted.path, ": is there already with other content (", error.reason(), ")"));
  }
}

void bring_in(const Repository& repository, const FileList& missing, const Context& context) {
  if (missing.empty()) {
    return;
  }
  context.progress.expect(missing.content_bytes(), missing.contents());
  const bool at_the_end = missing.naming() == Naming::at_the_end;
  const StagingArea area(repository, context.clock);
  std::vector<StagedBatch> whole;
  StagingRun run(repository, area, context, [&](StagedBatch batch) {
    if (at_the_end) {
      whole.push_back(std::move(batch));
    } else {
      batch.place();
    }
  });
  bool replacing = false;
  missing.for_each([&](const FileEntry& entry) {
    if (!at_the_end && entry.file.replace && !replacing) {
      run.finish();  // nothing is replaced before all that is new is there
      replacing = true;
    }
    run.add(entry.file);
  });
  run.finish();
  for (auto& batch : whole) {
    batch.place();
  }
}

}  // namespace sstream

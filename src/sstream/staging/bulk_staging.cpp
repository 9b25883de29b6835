#include "sstream/staging/bulk_staging.h"

#include <algorithm>

#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "sstream/staging/staging_run.h"

namespace sstream {

namespace {

constexpr std::size_t batch_size = 512;

/// Hands out a list in pieces of bounded length.
void for_each_batch(const FileSpool& files,
                    const std::function<void(const std::vector<ListedFile>& batch)>& visit) {
  std::vector<ListedFile> batch;
  files.for_each([&](const ListedFile& listed) {
    batch.push_back(listed);
    if (batch.size() == batch_size) {
      visit(batch);
      batch.clear();
    }
  });
  if (!batch.empty()) {
    visit(batch);
  }
}

/// Of the directories that files go into, which are there: where one is not, as that of a new
/// version, neither is any file in it.
class Directories {
 public:
  explicit Directories(const Repository& repository) : repository_(repository) {}

  bool has_that_of(const std::string& path) {
    auto directory = path.substr(0, path.size() - base::base_name(path).size());
    if (directory != last_) {
      last_ = std::move(directory);
      exists_ = has_parent(repository_.place(path));
    }
    return exists_;
  }

 private:
  static bool has_parent(const Place& place) {
    const auto slash = place.path.rfind('/');
    return slash == std::string::npos ||
           static_cast<bool>(base::find_beneath(place.dirfd, place.path.substr(0, slash),
                                                O_RDONLY | O_DIRECTORY));
  }

  const Repository& repository_;
  std::string last_;
  bool exists_ = true;
};

void bring_in_all(const FileSpool& files, bool replace, StagingRun& run) {
  files.for_each([&](const ListedFile& listed) {
    auto file = listed.file;
    file.replace = replace;
    run.add(std::move(file));
  });
  run.finish();
}

}  // namespace

BulkWork find_missing(const Repository& repository, const FileSpool& files,
                      const Context& context) {
  BulkWork work;
  work.missing = std::make_unique<FileSpool>(files.locate());
  work.replaced = std::make_unique<FileSpool>(files.locate());
  Directories directories(repository);
  for_each_batch(files, [&](const std::vector<ListedFile>& batch) {
    std::vector<Presence> found(batch.size(), Presence::absent);
    std::vector<std::size_t> maybe;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (repository.root() >= 0 && directories.has_that_of(batch[i].file.path)) {
        maybe.push_back(i);
      }
    }
    base::parallel_for(maybe.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
      base::check_stop(context.stop);
      found[maybe[i]] = presence_of(repository, batch[maybe[i]].file);
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (found[i] == Presence::absent) {
        work.missing->add(batch[i]);
      } else if (found[i] == Presence::other) {
        work.replaced->add(batch[i]);
      } else {
        ++work.reused;
      }
    }
  });
  return work;
}

void bring_in(const Repository& repository, const BulkWork& work, const Context& context) {
  if (work.size() == 0) {
    return;
  }
  context.progress.expect(work.missing->content_bytes() + work.replaced->content_bytes(),
                          work.missing->contents() + work.replaced->contents());
  const StagingArea area(repository, context.clock);
  StagingRun run(repository, area, context, [](StagedBatch batch) { batch.place(); });
  bring_in_all(*work.missing, false, run);
  bring_in_all(*work.replaced, true, run);
}

}  // namespace sstream

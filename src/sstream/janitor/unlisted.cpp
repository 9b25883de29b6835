#include "sstream/janitor/unlisted.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "sstream/janitor/named_paths.h"
#include "sstream/janitor/orphans.h"
#include "sstream/janitor/path_set.h"

namespace sstream {

namespace {

PathSet live_paths(const Repository& repository) {
  PathSet paths;
  for_each_named_path(repository, {.kept = false, .allow_empty = true},
                      [&](std::string_view path, auto) { paths.add(path); });
  paths.seal();
  return paths;
}

}  // namespace

std::string unlisted_files(const std::string& repository) {
  return base::cat(repository, "/.data/.sstream/unlisted.json");
}

std::size_t record_unlisted(const Repository& repository, const Context& context) {
  const auto kept = repository.kept_generations();
  if (kept.empty()) {
    return 0;
  }
  const auto live = live_paths(repository);
  const auto name = unlisted_files(repository.path());
  auto list = OrphanFile::load(name);
  std::map<std::string, Orphan> added;
  for_each_named_path(repository, {.one = kept.back()}, [&](std::string_view named, auto) {
    std::string path(named);
    if (live.contains(path) || path.starts_with("streams/") || added.contains(path) ||
        list.find(path) != nullptr) {
      return;
    }
    const auto place = repository.place(path);
    const auto status = base::status_of(place.dirfd, place.path);
    if (status && S_ISREG(status->st_mode)) {
      added[path] = {.path = path,
                     .since = context.clock.now(),
                     .stamp = {},
                     .mark = FileMark::of(*status),
                     .last_seen = context.clock.now(),
                     .sightings = 1};
    }
  });
  if (added.empty()) {
    return 0;
  }
  for (auto& [path, orphan] : added) {
    list.orphans.push_back(std::move(orphan));
  }
  std::sort(list.orphans.begin(), list.orphans.end(),
            [](const Orphan& one, const Orphan& other) { return one.path < other.path; });
  list.save(name);
  return added.size();
}

bool unlisted_for(const std::string& repository, std::chrono::seconds grace,
                  const Context& context) {
  const auto name = unlisted_files(repository);
  if (!base::exists_at(AT_FDCWD, name)) {
    return false;
  }
  const auto list = OrphanFile::load(name);
  return std::any_of(list.orphans.begin(), list.orphans.end(), [&](const Orphan& orphan) {
    return orphan.since && *orphan.since + grace <= context.clock.now();
  });
}

}  // namespace sstream

#include "meph2/verbs/du.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "sstream/janitor/path_set.h"
#include "sstream/janitor/references.h"
#include "sstream/janitor/stream_use.h"

namespace meph2 {

namespace {

DuResult largest_first(std::map<std::string, DuRow> groups, DuResult use) {
  for (auto& [name, row] : groups) {
    row.name = name;
    use.rows.push_back(std::move(row));
  }
  std::stable_sort(use.rows.begin(), use.rows.end(), [](const auto& one, const auto& other) {
    return one.bytes + one.shared_bytes > other.bytes + other.shared_bytes;
  });
  return use;
}

std::string group_of(const sstream::Item& item, DuBy by) {
  switch (by) {
    case DuBy::product:
      return item.pedigree().product;
    case DuBy::version:
      return item.pedigree().version;
    case DuBy::release:
      return item.tag("release").value_or("-");
    default:
      return item.tag("arch").value_or("-");
  }
}

/// Sizes by the metadata: a path belongs to every group that names it.
DuResult use_by_tag(const sstream::Repository& repository, DuBy by) {
  struct File {
    DuRow* first = nullptr;  ///< a map's values stay where they are
    std::uint64_t size = 0;
    bool shared = false;
  };

  std::map<std::string, DuRow> groups;
  std::unordered_map<std::uint64_t, File> files;
  std::unordered_set<std::uint64_t> named;  // path and group
  DuResult total;
  const sstream::ReferencePolicy policy{.kept = false, .allow_empty = true};
  sstream::for_each_reference(repository, policy, [&](const sstream::Reference& reference) {
    const auto group = group_of(*reference.item, by);
    const auto key = io::fingerprint64(reference.path);
    if (!named.insert(io::fingerprint64(base::cat(reference.path, "\n", group))).second) {
      return;
    }
    auto& row = groups[group];
    const auto [at, is_new] = files.try_emplace(key);
    auto& file = at->second;
    if (is_new) {
      file.first = &row;
      file.size = reference.size.value_or(0);
      row.files += 1;
      row.bytes += file.size;
      ++total.files;
      total.bytes += file.size;
      return;
    }
    if (!file.shared) {
      file.shared = true;
      auto& first = *file.first;
      first.files -= 1;
      first.bytes -= file.size;
      first.shared_files += 1;
      first.shared_bytes += file.size;
    }
    row.shared_files += 1;
    row.shared_bytes += file.size;
  });
  return largest_first(std::move(groups), std::move(total));
}

/// Sizes on disk, by who still names the file.
DuResult use_by_orphan(const sstream::Repository& repository, const sstream::Context& context) {
  std::vector<sstream::StreamUse> uses;
  uses.emplace_back(sstream::StreamSpec{base::real_path(repository.root()), {}},
                    sstream::Access::read, repository.root());
  sstream::PathSet live;
  sstream::PathSet history;
  sstream::for_each_name(
      uses, {.allow_empty = true}, context.clock.now(),
      [&](const sstream::StreamUse&, std::string_view name, std::string_view generation) {
        (generation.empty() ? live : history).add(name);
      });
  live.seal();
  history.seal();
  std::map<std::string, DuRow> groups;
  DuResult total;
  const std::string trash = ".data/.sstream/trash";
  base::walk_entries(repository.root(), [&](const base::Entry& entry) {
    base::check_stop(context.stop);
    const bool trashed = entry.path.starts_with(trash + "/");
    if (entry.kind == base::EntryKind::directory) {
      return entry.path != "streams" &&
             (!entry.path.starts_with(".data/") || trashed || trash.starts_with(entry.path));
    }
    if (entry.kind != base::EntryKind::file || (entry.path.starts_with(".data/") && !trashed)) {
      return true;
    }
    const auto status = base::status_of(entry.dirfd, entry.name);
    if (!status) {
      return true;
    }
    auto& row = groups[trashed                        ? "trash"
                       : live.contains(entry.path)    ? "live"
                       : history.contains(entry.path) ? "history"
                                                      : "orphan"];
    const auto size = static_cast<std::uint64_t>(status->st_size);
    row.files += 1;
    row.bytes += size;
    ++total.files;
    total.bytes += size;
    return true;
  });
  return largest_first(std::move(groups), std::move(total));
}

}  // namespace

DuResult du(const std::string& data_d, DuBy by, const sstream::Context& context) {
  return base::with_context("du", [&] {
    const sstream::Repository repository(data_d, sstream::Access::read);
    return by == DuBy::orphan ? use_by_orphan(repository, context) : use_by_tag(repository, by);
  });
}

}  // namespace meph2

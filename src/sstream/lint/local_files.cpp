#include <algorithm>
#include <future>
#include <unordered_map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "sstream/janitor/named_paths.h"
#include "sstream/janitor/path_set.h"
#include "sstream/janitor/references.h"
#include "sstream/lint/stream_files.h"
#include "sstream/repository/holds.h"
#include "sstream/repository/repository.h"

namespace sstream::lint {

namespace {

struct DataFile {
  std::uint64_t size = 0;
  base::Time changed;
  base::EntryKind kind = base::EntryKind::file;
  bool named = false;
  bool pooled = false;  ///< in a directory that other streams use too
};

class LocalFiles : public StreamFiles {
 public:
  LocalFiles(const std::string& directory, std::chrono::seconds grace, const Context& context)
      : context_(context), grace_(grace), repository_(directory, Access::read) {
    // Beside the reading of the documents: many small questions to the file system.
    walked_ = std::async(std::launch::async, [this] { walk_all(); });
  }

  std::optional<base::File> open(const std::string& path) override {
    if (base::unsafe_path_reason(path) != nullptr) {
      return std::nullopt;
    }
    const auto data = repository_.place(path);
    const auto place = path.starts_with("streams/") ? Below{repository_.streams(), path.substr(8)}
                                                    : Below{data.dirfd, data.path};
    try {
      if (place.fd < 0) {
        return std::nullopt;
      }
      auto file = base::open_beneath(place.fd, place.path, O_RDONLY);
      if (!S_ISREG(file.status().st_mode)) {
        return std::nullopt;
      }
      file.set_name(base::cat(repository_.path(), "/", path));
      return file;
    } catch (const base::Error& error) {
      if (error.code() == base::Errc::not_found || error.code() == base::Errc::untrusted) {
        return std::nullopt;
      }
      throw;
    }
  }

  bool is_url() const override { return false; }

  std::vector<std::string> keyrings() override {
    std::vector<std::string> found;
    for (const auto& name : base::list_directory(repository_.root())) {
      if (name.ends_with(".gpg") || name.ends_with(".asc") || name.ends_with(".kbx")) {
        found.push_back(base::cat(repository_.path(), "/", name));
      }
    }
    return found;
  }

  void named(const Item& item, const std::string& path, Report& report) override;
  void finish(bool whole, Report& report) override;

 private:
  struct Below {
    int fd;
    std::string path;
  };

  void walk_all();
  void walk(int root, const std::string& prefix);
  bool any_orphan() const;
  void remember_previous();
  void add_kept(PathSet& kept) const;

  const Context& context_;
  std::chrono::seconds grace_;
  Repository repository_;
  std::unordered_map<std::uint64_t, DataFile> files_;          ///< by fingerprint of the path
  std::unordered_map<std::uint64_t, std::uint64_t> previous_;  ///< path -> sha256, fingerprints
  std::string previous_name_;
  std::future<void> walked_;  ///< the last: it has to end before the others
};

void LocalFiles::walk_all() {
  walk(repository_.root(), "");
  for (const auto& name : base::list_directory(repository_.root())) {
    if (base::unsafe_path_reason(name) != nullptr) {
      continue;
    }
    const auto place = repository_.place(name + "/x");
    if (place.dirfd != repository_.root()) {
      walk(place.dirfd, name + "/");
    }
  }
  remember_previous();
}

/// Names are kept only of files that the previous pass could not know: their fingerprints do.
void LocalFiles::walk(int root, const std::string& prefix) {
  base::walk_entries(root, [&](const base::Entry& entry) {
    base::check_stop(context_.stop);
    const bool top = prefix.empty() && entry.path == entry.name;
    if (entry.kind == base::EntryKind::directory) {
      return !(top && (entry.name == "streams" || entry.name.starts_with(".")));
    }
    const auto status = base::status_of(entry.dirfd, entry.name);
    if (!status) {
      return true;
    }
    DataFile file;
    file.size = static_cast<std::uint64_t>(status->st_size);
    file.changed = base::Time(std::chrono::seconds(status->st_ctim.tv_sec));
    file.kind = entry.kind;
    file.pooled = !prefix.empty();
    file.named = top;  // beside the data: keyrings and the like
    files_.emplace(io::fingerprint64(prefix + entry.path), file);
    return true;
  });
}

/// What the generation before this one promised of its files: no path may get other content.
void LocalFiles::remember_previous() {
  const auto kept = repository_.kept_generations();
  if (kept.empty()) {
    return;
  }
  previous_name_ = kept.back();
  try {
    for_each_reference(repository_, {.one = previous_name_}, [&](const Reference& reference) {
      if (!reference.sha256.empty()) {
        previous_.emplace(io::fingerprint64(reference.path), io::fingerprint64(reference.sha256));
      }
    });
  } catch (const base::Error& error) {
    context_.log.warning(
        base::cat("generation ", previous_name_, " cannot be compared with: ", error.what()));
    previous_.clear();
  }
}

void LocalFiles::named(const Item& item, const std::string& path, Report& report) {
  if (walked_.valid()) {
    walked_.get();
  }
  const auto key = io::fingerprint64(path);
  const auto place = item.place("path");
  if (!previous_.empty()) {
    const auto* sha256 = item.inherited_text("sha256");
    const auto before = previous_.find(key);
    if (sha256 != nullptr && before != previous_.end() &&
        before->second != io::fingerprint64(*sha256)) {
      report.add(engine::path_reused, place,
                 base::cat(in_quotes(path), " had another sha256 in generation ", previous_name_));
    }
  }
  const auto found = files_.find(key);
  if (found == files_.end() || found->second.kind == base::EntryKind::other) {
    report.add(engine::file_missing, place,
               base::cat(in_quotes(path), found == files_.end() ? " is not there" : " is no file"));
    return;
  }
  found->second.named = true;
  const auto* size = item.inherited("size");
  if (found->second.kind == base::EntryKind::file && size != nullptr &&
      size->is_number_unsigned() && size->get<std::uint64_t>() != found->second.size) {
    report.add(engine::file_size, item.place("size"),
               base::cat("is ", size->get<std::uint64_t>(), ", but ", in_quotes(path), " has ",
                         found->second.size, " bytes"));
  }
}

/// What a rollback or a hold may still need is no orphan.
void LocalFiles::add_kept(PathSet& kept) const {
  for (const auto& name : repository_.kept_generations()) {
    for_each_named_path(repository_, {.one = name},
                        [&](std::string_view path, auto) { kept.add(path); });
  }
  Holds::load(repository_).for_each_path(context_.clock.now(), [&](const std::string& path) {
    kept.add(path);
  });
}

/// Their names are not kept: they take a second walk, where there are any.
bool LocalFiles::any_orphan() const {
  const auto now = context_.clock.now();
  return std::any_of(files_.begin(), files_.end(), [&](const auto& entry) {
    const DataFile& file = entry.second;
    return !file.named && !file.pooled && file.kind == base::EntryKind::file &&
           now - file.changed >= grace_;
  });
}

void LocalFiles::finish(bool whole, Report& report) {
  const auto* rule = report.find(engine::orphan_file);
  if (walked_.valid()) {
    walked_.get();
  }
  if (!whole || rule == nullptr || !report.wants(*rule) || !any_orphan()) {
    return;
  }
  PathSet kept;
  try {
    add_kept(kept);
  } catch (const base::Error& error) {
    context_.log.warning(base::cat("orphans are not looked for: ", error.what()));
    return;
  }
  kept.seal();
  const auto now = context_.clock.now();
  base::walk_entries(repository_.root(), [&](const base::Entry& entry) {
    base::check_stop(context_.stop);
    const bool top = entry.path == entry.name;
    if (entry.kind == base::EntryKind::directory) {
      return !(top && (entry.name == "streams" || entry.name.starts_with(".")));
    }
    const auto found = files_.find(io::fingerprint64(entry.path));
    if (top || entry.kind != base::EntryKind::file || found == files_.end() ||
        found->second.named || kept.contains(entry.path) || now - found->second.changed < grace_) {
      return true;
    }
    report.add(*rule, {entry.path, {}},
               base::cat("no stream here names it (", base::human_bytes(found->second.size), ")"));
    return true;
  });
}

}  // namespace

std::unique_ptr<StreamFiles> local_files(const std::string& directory, std::chrono::seconds grace,
                                         const Context& context) {
  return std::make_unique<LocalFiles>(directory, grace, context);
}

}  // namespace sstream::lint

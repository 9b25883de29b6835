#include "sstream/generate/item_files.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/format/container_image.h"
#include "sstream/repository/repository.h"

namespace sstream {

namespace {

constexpr std::size_t buffer_size = 1U << 20U;

/// The fingerprint of a container image whose root file system a file is.
struct Fingerprint {
  ItemRecord* metadata = nullptr;  ///< the item that holds it, under `key`
  const char* key = nullptr;
  std::string found;
};

/// A file that one or more records name.
struct ListedPath {
  std::string path;
  std::vector<ItemRecord*> records;
  bool md5 = false;
  bool sha512 = false;
  Checksums found;
  std::vector<Fingerprint> fingerprints;
};

std::vector<ListedPath> paths_of(std::vector<ItemRecord>& records, bool md5) {
  std::map<std::string, ListedPath> paths;
  for (auto& record : records) {
    if (const auto path = record.path()) {
      auto& listed = paths[*path];
      listed.path = *path;
      listed.records.push_back(&record);
      listed.md5 = listed.md5 || md5 || record.tags.contains("md5");
      listed.sha512 = listed.sha512 || record.tags.contains("sha512");
    }
  }
  std::vector<ListedPath> list;
  std::transform(paths.begin(), paths.end(), std::back_inserter(list),
                 [](auto& entry) { return std::move(entry.second); });
  return list;
}

std::string_view ftype_of(const ItemRecord& record) {
  const auto found = record.tags.find("ftype");
  return found != record.tags.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

const ContainerRoot* container_root(const ItemRecord& record) {
  const auto* found =
      std::find_if(container_roots.begin(), container_roots.end(),
                   [&](const auto& root) { return root.ftype == ftype_of(record); });
  return found != container_roots.end() ? found : nullptr;
}

bool is_container_metadata(const ItemRecord& record) {
  return ftype_of(record) == lxd_reader.metadata || ftype_of(record) == incus_reader.metadata;
}

/// Every root file system of a version with every metadata item of that version.
void add_fingerprints(std::vector<ItemRecord>& records, std::vector<ListedPath>& paths) {
  using Version = std::tuple<std::string, std::string, std::string>;
  const auto version_of = [](const ItemRecord& record) {
    return Version(record.content_id, record.id.product, record.id.version);
  };
  std::multimap<Version, ItemRecord*> metadata;
  for (auto& record : records) {
    if (record.path() && is_container_metadata(record)) {
      metadata.emplace(version_of(record), &record);
    }
  }
  for (auto& listed : paths) {
    for (const auto* record : listed.records) {
      const auto* root = container_root(*record);
      const auto [first, last] = metadata.equal_range(version_of(*record));
      for (auto at = first; root != nullptr && at != last; ++at) {
        listed.fingerprints.push_back(
            {.metadata = at->second, .key = root->keys.front(), .found = {}});
      }
    }
  }
}

/// Hands out a file in pieces; its length.
template <typename Visit>
std::uint64_t read_pieces(const base::File& file, const Context& context, Visit visit) {
  std::vector<char> buffer(std::min<std::uint64_t>(file.size() + 1, buffer_size));
  std::uint64_t size = 0;
  while (const auto got = file.read_at(buffer, size)) {
    base::check_stop(context.stop);
    visit(std::string_view(buffer.data(), got));
    size += got;
  }
  return size;
}

Checksums digest_of(const base::File& file, const ListedPath& listed,
                    std::vector<io::Digest>& fingerprints, const Context& context) {
  io::Digest sha256(io::Algorithm::sha256);
  auto md5 = listed.md5 ? std::optional<io::Digest>(io::Algorithm::md5) : std::nullopt;
  auto sha512 = listed.sha512 ? std::optional<io::Digest>(io::Algorithm::sha512) : std::nullopt;
  Checksums sums;
  sums.size = read_pieces(file, context, [&](std::string_view piece) {
    sha256.update(piece);
    for (auto& fingerprint : fingerprints) {
      fingerprint.update(piece);
    }
    if (md5) {
      md5->update(piece);
    }
    if (sha512) {
      sha512->update(piece);
    }
    context.progress.add_bytes(piece.size());
  });
  sums.sha256 = sha256.hex();
  sums.md5 = md5 ? md5->hex() : std::string();
  sums.sha512 = sha512 ? sha512->hex() : std::string();
  return sums;
}

/// A digest that has the metadata behind it, and goes on with the root file system.
io::Digest begun_with(const base::File& metadata, const Context& context) {
  io::Digest digest(io::Algorithm::sha256);
  read_pieces(metadata, context, [&](std::string_view piece) { digest.update(piece); });
  return digest;
}

/// Writes into the tags what was found of a file, where they do not promise something else.
void settle_tag(ItemRecord& record, const char* key, const Json& value, const std::string& path) {
  const auto promised = record.tags.find(key);
  if (promised != record.tags.end() && *promised != value) {
    const auto text = [](const Json& json) {
      return json.is_string() ? json.get<std::string>() : json.dump();
    };
    refuse_field(record.where, key,
                 base::cat("is ", text(*promised), ", but the file ", path, " has ", text(value)));
  }
  record.tags[key] = value;
}

void settle(ItemRecord& record, const Checksums& found, bool md5) {
  const auto set = [&](const char* key, const Json& value) {
    settle_tag(record, key, value, *record.path());
  };
  set("size", found.size);
  set("sha256", found.sha256);
  if (md5 || record.tags.contains("md5")) {
    set("md5", found.md5);
  }
  if (record.tags.contains("sha512")) {
    set("sha512", found.sha512);
  }
}

}  // namespace

/// Where the files are read.
class ItemFiles::Origin {
 public:
  Origin(const std::string& target, const std::string& directory)
      : repository_(target, Access::read, true), name_(directory.empty() ? target : directory) {
    if (!directory.empty()) {
      root_ = base::open_directory(directory);
      in_place_ = repository_.root() >= 0 && base::same_file(root_.fd(), repository_.root());
      require_apart();
    }
  }

  bool in_place() const { return in_place_; }

  std::string name_of(const std::string& path) const { return base::cat(name_, "/", path); }

  base::File open(const std::string& path) const {
    if (in_place_ && repository_.root() < 0) {
      throw base::Error(base::Errc::not_found,
                        base::cat("open ", name_of(path), ": No such file or directory"));
    }
    const auto place = in_place_ ? repository_.place(path) : Place{root_.fd(), path};
    auto file = base::open_beneath(place.dirfd, place.path, O_RDONLY);
    if (!S_ISREG(file.status().st_mode)) {
      throw base::Error(base::Errc::untrusted, base::cat(name_of(path), ": is no regular file"));
    }
    return file;
  }

 private:
  /// What is brought in must not come from below the place that it is brought to, nor that lie
  /// among the images.
  void require_apart() const {
    if (in_place_ || repository_.root() < 0) {
      return;
    }
    const auto ours = base::real_path(repository_.root()) + "/";
    const auto theirs = base::real_path(root_.fd()) + "/";
    if (ours.starts_with(theirs) || theirs.starts_with(ours)) {
      throw base::Error(base::Errc::usage,
                        base::cat("directory ", name_, " and the data directory ",
                                  repository_.path(), ": one is inside the other"));
    }
  }

  Repository repository_;
  std::string name_;
  base::File root_;
  bool in_place_ = true;
};

ItemFiles::ItemFiles(std::string target, std::string directory, bool md5, const Context& context)
    : target_(std::move(target)), directory_(std::move(directory)), md5_(md5), context_(context) {}

void ItemFiles::digest(std::vector<ItemRecord>& records) {
  auto paths = paths_of(records, md5_);
  if (paths.empty()) {
    return;
  }
  add_fingerprints(records, paths);
  const Origin origin(target_, directory_);
  for (const auto& listed : paths) {
    base::with_context(base::cat(listed.records.front()->where, ": path"), [&] {
      const auto file = origin.open(listed.path);  // all are there before the first is read
      context_.progress.expect(file.size(), 1);
    });
  }
  base::parallel_for(paths.size(), base::reader_count(), [&](std::size_t i) {
    auto& listed = paths[i];
    std::vector<io::Digest> fingerprints;
    for (const auto& wanted : listed.fingerprints) {
      fingerprints.push_back(begun_with(origin.open(*wanted.metadata->path()), context_));
    }
    listed.found = digest_of(origin.open(listed.path), listed, fingerprints, context_);
    for (std::size_t n = 0; n < fingerprints.size(); ++n) {
      listed.fingerprints[n].found = fingerprints[n].hex();
    }
    context_.progress.finish_item(listed.path);
  });
  for (auto& listed : paths) {
    for (auto* record : listed.records) {
      settle(*record, listed.found, md5_);
    }
    for (const auto& fingerprint : listed.fingerprints) {
      settle_tag(*fingerprint.metadata, fingerprint.key, fingerprint.found, listed.path);
    }
    wanted_.push_back({.path = listed.path,
                       .expected = listed.found,
                       .origin = origin.name_of(listed.path),
                       .known = origin.in_place()});
  }
}

void require_promises(const std::vector<ItemRecord>& records) {
  for (const auto& record : records) {
    if (!record.path()) {
      continue;
    }
    if (!record.tags.contains("size")) {
      refuse_field(record.where, "size", "is missing");
    }
    if (!record.tags.contains("sha256") && !record.tags.contains("sha512")) {
      refuse_field(record.where, "sha256", "is missing");
    }
  }
}

}  // namespace sstream

#include "sstream/listed_files.h"

#include <algorithm>
#include <map>

#include "base/beneath.h"
#include "base/error.h"
#include "base/stop.h"
#include "base/strings.h"
#include "base/worker_pool.h"
#include "sstream/repository.h"

namespace sstream {

namespace {

constexpr std::size_t buffer_size = 1U << 20U;

/// A file that one or more records name.
struct ListedPath {
  std::string path;
  std::vector<ItemRecord*> records;
  bool md5 = false;
  bool sha512 = false;
  Checksums found;
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

Checksums digest_of(base::File& file, const ListedPath& listed, const Context& context) {
  io::Digest sha256(io::Algorithm::sha256);
  auto md5 = listed.md5 ? std::optional<io::Digest>(io::Algorithm::md5) : std::nullopt;
  auto sha512 = listed.sha512 ? std::optional<io::Digest>(io::Algorithm::sha512) : std::nullopt;
  Checksums sums;
  std::vector<char> buffer(std::min<std::uint64_t>(file.size() + 1, buffer_size));
  while (const auto got = file.read_at(buffer, sums.size)) {
    base::check_stop(context.stop);
    const std::string_view piece(buffer.data(), got);
    sha256.update(piece);
    if (md5) {
      md5->update(piece);
    }
    if (sha512) {
      sha512->update(piece);
    }
    sums.size += got;
    context.progress.add_bytes(got);
  }
  sums.sha256 = sha256.hex();
  sums.md5 = md5 ? md5->hex() : std::string();
  sums.sha512 = sha512 ? sha512->hex() : std::string();
  return sums;
}

/// Writes into the tags what was found, where they do not promise something else.
void settle(ItemRecord& record, const Checksums& found, bool md5) {
  const auto set = [&](const char* key, const Json& value) {
    const auto promised = record.tags.find(key);
    if (promised != record.tags.end() && *promised != value) {
      const auto text = [](const Json& json) {
        return json.is_string() ? json.get<std::string>() : json.dump();
      };
      refuse_field(record.where, key,
                   base::cat("is ", text(*promised), ", but the file ", *record.path(), " has ",
                             text(value)));
    }
    record.tags[key] = value;
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
class ListedFiles::Origin {
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

ListedFiles::ListedFiles(std::string target, std::string directory, bool md5,
                         const Context& context)
    : target_(std::move(target)), directory_(std::move(directory)), md5_(md5), context_(context) {}

void ListedFiles::digest(std::vector<ItemRecord>& records) {
  auto paths = paths_of(records, md5_);
  if (paths.empty()) {
    return;
  }
  const Origin origin(target_, directory_);
  for (const auto& listed : paths) {
    base::with_context(base::cat(listed.records.front()->where, ": path"), [&] {
      const auto file = origin.open(listed.path);  // all are there before the first is read
      context_.progress.expect(file.size(), 1);
    });
  }
  base::parallel_for(paths.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
    auto file = origin.open(paths[i].path);
    paths[i].found = digest_of(file, paths[i], context_);
    context_.progress.finish_item(paths[i].path);
  });
  for (auto& listed : paths) {
    for (auto* record : listed.records) {
      settle(*record, listed.found, md5_);
    }
    wanted_.push_back(
        {listed.path, listed.found, origin.name_of(listed.path), false, {}, origin.in_place()});
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

#include "sstream/janitor/orphans.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/json/json.h"

namespace sstream {

namespace {

constexpr unsigned state_version = 1;
constexpr std::size_t piece = 1U << 16U;

std::string state_path(const std::string& path) {
  return path + ".state";
}

/// "path": "date" at the top, and nothing else.
class MapReader : public io::JsonEvents {
 public:
  MapReader(std::string name, std::vector<Orphan>& orphans)
      : name_(std::move(name)), orphans_(&orphans) {}

  void start_object() override {
    if (++depth_ > 1) {
      refuse();
    }
  }

  void end_object() override { --depth_; }

  void start_array() override { refuse(); }

  void end_array() override {}

  void key(std::string& name) override { key_ = name; }

  void scalar(io::Json&& value) override {
    if (depth_ == 0 || !value.is_string()) {
      refuse();
    }
    Orphan orphan;
    orphan.path = key_;
    const auto& text = value.get_ref<const std::string&>();
    orphan.since = base::parse_stamp(text);
    if (!orphan.since || base::format_stamp(*orphan.since) != text) {
      orphan.stamp = text;
    }
    orphans_->push_back(std::move(orphan));
  }

 private:
  [[noreturn]] void refuse() const {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name_, ": ", key_.empty() ? "" : base::cat("'", key_, "': "),
                                "not a map from path to date"));
  }

  std::string name_;
  std::vector<Orphan>* orphans_;
  std::size_t depth_ = 0;
  std::string key_;
};

/// {"version", "keyring", "orphans", "replaces", "streams": [...], "files": {path: {...}}}, entry
/// by entry: the list may be long.
class StateReader : public io::JsonEvents {
 public:
  struct File {
    std::int64_t first_seen = 0;
    std::int64_t last_seen = 0;
    std::uint64_t sightings = 0;
    FileMark mark;
  };

  explicit StateReader(std::function<void(const std::string& path, const File& file)> visit)
      : visit_(std::move(visit)) {}

  io::Json head = io::Json::object();

  void start_object() override {
    ++depth_;
    if (head_depth_ > 0) {
      builder_.start_object();
      ++head_depth_;
    } else if (depth_ == 3 && top_ == "files") {
      file_ = {};
    }
  }

  void end_object() override {
    --depth_;
    if (head_depth_ > 0) {
      builder_.end_object();
      close_head();
    } else if (depth_ == 2 && top_ == "files") {
      visit_(path_, file_);
    }
  }

  void start_array() override {
    ++depth_;
    if (head_depth_ == 0 && depth_ == 2) {
      head_depth_ = 1;
      builder_.start_array();
    } else if (head_depth_ > 0) {
      builder_.start_array();
      ++head_depth_;
    }
  }

  void end_array() override {
    --depth_;
    if (head_depth_ > 0) {
      builder_.end_array();
      close_head();
    }
  }

  void key(std::string& name) override {
    if (head_depth_ > 0) {
      builder_.key(name);
    } else if (depth_ == 1) {
      top_ = name;
    } else if (depth_ == 2) {
      path_ = name;
    } else {
      key_ = name;
    }
  }

  void scalar(io::Json&& value) override {
    if (head_depth_ > 0) {
      builder_.scalar(std::move(value));
    } else if (depth_ == 1) {
      head[top_] = std::move(value);
    } else if (depth_ == 3 && value.is_number_integer()) {
      take(value);
    }
  }

 private:
  void close_head() {
    if (--head_depth_ == 0) {
      head[top_] = builder_.take();
    }
  }

  void take(const io::Json& value) {
    if (key_ == "first_seen") {
      file_.first_seen = value.get<std::int64_t>();
    } else if (key_ == "last_seen") {
      file_.last_seen = value.get<std::int64_t>();
    } else if (key_ == "sightings") {
      file_.sightings = value.get<std::uint64_t>();
    } else if (key_ == "size") {
      file_.mark.size = value.get<std::uint64_t>();
    } else if (key_ == "inode") {
      file_.mark.inode = value.get<std::uint64_t>();
    } else if (key_ == "mtime_ns") {
      file_.mark.mtime_ns = value.get<std::int64_t>();
    } else if (key_ == "ctime_ns") {
      file_.mark.ctime_ns = value.get<std::int64_t>();
    }
  }

  std::function<void(const std::string& path, const File& file)> visit_;
  io::JsonBuilder builder_;
  std::size_t depth_ = 0;
  std::size_t head_depth_ = 0;  ///< containers open inside a value of the head
  std::string top_;
  std::string path_;
  std::string key_;
  File file_;
};

base::Time at(std::int64_t seconds) {
  return base::Time(std::chrono::seconds(seconds));
}

/// The second file's knowledge is taken only for what the first one lists.
void read_state(base::File& file, OrphanFile& list) {
  struct Seen {
    Orphan* orphan;
    base::Time first;
  };

  std::vector<Seen> seen;
  StateReader reader([&](const std::string& path, const StateReader::File& known) {
    if (auto* orphan = list.find(path)) {
      orphan->mark = known.mark;
      orphan->last_seen = at(known.last_seen);
      orphan->sightings = known.sightings;
      seen.push_back({orphan, at(known.first_seen)});
    }
  });
  io::visit_json(file, reader);
  if (reader.head.value("version", 0U) > state_version) {
    throw base::Error(base::Errc::failed,
                      base::cat(file.name(), ": written by a newer version of this software"));
  }
  for (const auto& stream : reader.head.value("streams", io::Json::array())) {
    list.streams.push_back(
        {stream.value("root", ""), stream.value("documents", std::vector<std::string>{})});
  }
  list.keyring = reader.head.value("keyring", "");
  if (reader.head.value("replaces", "-") == list.digest) {
    // Written, but the list that belongs to it was not: the later date of the two counts.
    for (const auto& [orphan, first] : seen) {
      if (orphan->since && first > *orphan->since) {
        orphan->since = first;
      }
    }
  }
}

void drop_marks(OrphanFile& list) {
  list.streams.clear();
  list.keyring.clear();
  for (auto& orphan : list.orphans) {
    orphan.mark.reset();
    orphan.sightings = 0;
  }
}

std::string quoted(const std::string& text) {
  auto out = io::to_text(io::Json(text));
  out.pop_back();
  return out;
}

/// Collects what is written until it is worth a system call.
class Buffered {
 public:
  explicit Buffered(const std::function<void(std::string_view)>& sink) : sink_(&sink) {}

  void add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= piece) {
      flush();
    }
  }

  void flush() {
    (*sink_)(buffer_);
    buffer_.clear();
  }

 private:
  const std::function<void(std::string_view)>* sink_;
  std::string buffer_;
};

void write_state(const OrphanFile& list, const std::string& replaces, const std::string& digest,
                 const std::function<void(std::string_view)>& sink) {
  Buffered out(sink);
  io::Json streams = io::Json::array();
  for (const auto& stream : list.streams) {
    streams.push_back({{"root", stream.root}, {"documents", stream.documents}});
  }
  out.add("{\n \"files\": {");
  const char* separator = "\n";
  for (const auto& orphan : list.orphans) {
    if (!orphan.mark || !orphan.since) {
      continue;
    }
    out.add(base::cat(
        separator, "  ", quoted(orphan.path), ": {\"ctime_ns\": ", orphan.mark->ctime_ns,
        ", \"first_seen\": ", orphan.since->time_since_epoch().count(), ", \"inode\": ",
        orphan.mark->inode, ", \"last_seen\": ", orphan.last_seen.time_since_epoch().count(),
        ", \"mtime_ns\": ", orphan.mark->mtime_ns, ", \"sightings\": ", orphan.sightings,
        ", \"size\": ", orphan.mark->size, "}"));
    separator = ",\n";
  }
  const io::Json head = {{"keyring", list.keyring},
                         {"orphans", digest},
                         {"replaces", replaces.empty() ? "-" : replaces},
                         {"streams", std::move(streams)},
                         {"version", state_version}};
  const auto rest = io::to_text(head);
  out.add(base::cat("\n },", rest.substr(1)));
  out.flush();
}

std::string digest_of(const OrphanFile& list) {
  io::Digest digest(io::Algorithm::sha256);
  list.write_map([&](std::string_view text) { digest.update(text); });
  return digest.hex();
}

void keep_previous(int directory, const std::string& name) {
  const auto temporary = base::cat(".", name, ".bak.tmp");
  base::unlink_at(directory, temporary);
  auto file = base::open_file_at(directory, name, O_RDONLY);
  base::clone_file(file, directory, temporary, true);
  base::rename_at(directory, temporary, directory, name + ".bak");
}

}  // namespace

FileMark FileMark::of(const struct stat& status) {
  constexpr std::int64_t billion = 1000000000;
  FileMark mark;
  mark.size = static_cast<std::uint64_t>(status.st_size);
  mark.mtime_ns = status.st_mtim.tv_sec * billion + status.st_mtim.tv_nsec;
  mark.ctime_ns = status.st_ctim.tv_sec * billion + status.st_ctim.tv_nsec;
  mark.inode = status.st_ino;
  return mark;
}

Orphan* OrphanFile::find(const std::string& path) {
  const auto found = std::lower_bound(
      orphans.begin(), orphans.end(), path,
      [](const Orphan& orphan, const std::string& wanted) { return orphan.path < wanted; });
  return found != orphans.end() && found->path == path ? &*found : nullptr;
}

OrphanFile OrphanFile::load(const std::string& path) {
  OrphanFile list;
  if (!base::exists_at(AT_FDCWD, path)) {
    return list;
  }
  auto file = base::open_file(path, O_RDONLY);
  try {
    MapReader reader(path, list.orphans);
    io::visit_json(file, reader);
  } catch (base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;
    }
    throw base::Error(
        base::Errc::untrusted,
        base::cat(
            error.what(), "; ", path,
            " is not a valid orphan file: `meph2-util find-orphans --rebuild` makes a new one, "
            "with new dates",
            base::exists_at(AT_FDCWD, path + ".bak")
                ? base::cat("; ", path, ".bak is the one before")
                : std::string()));
  }
  std::sort(list.orphans.begin(), list.orphans.end(),
            [](const auto& one, const auto& other) { return one.path < other.path; });
  list.digest = io::digest_file(io::Algorithm::sha256, file);
  if (base::exists_at(AT_FDCWD, state_path(path))) {
    auto state = base::open_file(state_path(path), O_RDONLY);
    try {
      read_state(state, list);
    } catch (const base::Error& error) {
      if (error.code() != base::Errc::untrusted) {
        throw;
      }
      drop_marks(list);
    } catch (const io::Json::exception&) {
      drop_marks(list);
    }
  }
  return list;
}

void OrphanFile::write_map(const std::function<void(std::string_view)>& sink) const {
  Buffered out(sink);
  const char* separator = "{\n";
  for (const auto& orphan : orphans) {
    // A date that cannot be read stays so, even an empty one: any other would be an age.
    const auto stamp =
        orphan.since && orphan.stamp.empty() ? base::format_stamp(*orphan.since) : orphan.stamp;
    out.add(base::cat(separator, " ", quoted(orphan.path), ": ", quoted(stamp)));
    separator = ",\n";
  }
  out.add(orphans.empty() ? "{}\n" : "\n}\n");
  out.flush();
}

void OrphanFile::save(const std::string& path) const {
  const auto directory = base::open_directory(base::parent_of(path));
  const auto name = base::base_name(path);
  const auto next = digest_of(*this);
  const bool changed = next != digest;
  base::AtomicFile state(directory.fd(), state_path(name));
  write_state(*this, changed ? digest : std::string(), next,
              [&](std::string_view text) { state.file().write(text); });
  state.commit();
  if (!changed) {
    return;
  }
  base::AtomicFile map(directory.fd(), name);
  write_map([&](std::string_view text) { map.file().write(text); });
  if (base::exists_at(directory.fd(), name)) {
    keep_previous(directory.fd(), name);
  }
  map.commit();
}

}  // namespace sstream

#include "meph2/image/stage_store.h"

#include <algorithm>
#include <array>
#include <climits>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/path.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Names = std::vector<std::string>;

constexpr const char* record_name = "stage.json";
constexpr const char* content_name = "content";
constexpr const char* unfinished_prefix = ".new-";
constexpr const char* away_prefix = ".away-";
constexpr std::uint64_t largest_record = 4U << 20U;
constexpr auto oldest = std::chrono::hours(7 * 24);

std::string boot_id() {
  return std::string(base::trim(base::read_file("/proc/sys/kernel/random/boot_id", 4096)));
}

/// Inputs with what every stage depends on besides.
Json whole(const StageInputs& inputs) {
  return {{"inputs", *inputs.inputs},
          {"stage", inputs.stage},
          {"tool", base::cat(MEPH2_VERSION, ".", revision)}};
}

/// Extended attributes of a file, symlinks not followed.
std::string attributes_of(const std::string& path) {
  const auto length = ::llistxattr(path.c_str(), nullptr, 0);
  if (length <= 0) {
    return {};
  }
  std::string list(static_cast<std::size_t>(length), '\0');
  const auto got = ::llistxattr(path.c_str(), list.data(), list.size());
  if (got < 0) {
    base::throw_errno(errno, "read attributes of", path);
  }
  list.resize(static_cast<std::size_t>(got));
  auto names = base::split(list, '\0');
  std::ranges::sort(names);
  std::string out;
  for (const auto& name : names) {
    std::array<char, 65536> value{};
    const auto size =
        name.empty() ? 0 : ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size < 0) {
      base::throw_errno(errno, "read attributes of", path);
    }
    out += base::cat(" ", name, "=", base::to_hex({value.data(), static_cast<std::size_t>(size)}));
  }
  return out;
}

std::string content_of(int root, const std::string& path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) {
    auto file = base::open_file_at(root, path, O_RDONLY | O_NOFOLLOW);
    return io::fingerprint_file(file);
  }
  if (S_ISLNK(status.st_mode)) {
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(root, path.c_str(), target.data(), target.size());
    if (length < 0) {
      base::throw_errno(errno, "read link", path);
    }
    return base::to_hex({target.data(), static_cast<std::size_t>(length)});
  }
  return base::cat(status.st_rdev);
}

/// The record of a kept stage, nothing where there is none that can be read.
std::optional<Json> read_record(const std::string& entry) {
  try {
    auto file = base::open_file(base::cat(entry, "/", record_name), O_RDONLY | O_NOFOLLOW);
    auto record = io::parse_json(base::read_all(file, largest_record), file.name());
    return record.is_object() ? std::optional(std::move(record)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string text_in(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Negative where the record says nothing that can be.
std::chrono::seconds age_of(const Json& record, base::Time now) {
  const auto made = record.find("made");
  if (made == record.end() || !made->is_number_integer()) {
    return std::chrono::seconds(-1);
  }
  return now - base::Time(std::chrono::seconds(made->get<std::int64_t>()));
}

/// Why a stage of this record must not be taken; empty where only its content is left to look at.
std::string unfit(const Json& record, const StageInputs& inputs, base::Time now) {
  if (record.value("whole", Json()) != whole(inputs)) {
    return "made from other inputs";
  }
  const auto age = age_of(record, now);
  if (age < std::chrono::seconds(0) || age > inputs.fresh_for) {
    return "too old";
  }
  if (inputs.layer && text_in(record, "boot") != boot_id()) {
    return "made before the machine was started anew";
  }
  return {};
}

dev_t device_of(const std::string& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0) {
    base::throw_errno(errno, "look at", path);
  }
  return status.st_dev;
}

/// Files are synced, so that their stage outlives the machine; layers are not (see StageInputs).
void move_in(const std::string& from, const std::string& to, bool layer) {
  if (device_of(from) == device_of(base::parent_of(to))) {
    base::rename_at(AT_FDCWD, from, AT_FDCWD, to);
  } else {
    auto file = base::open_file(from, O_RDONLY);
    base::clone_file(file, AT_FDCWD, to, false);
  }
  if (!layer) {
    base::open_file(to, O_RDONLY).sync();
  }
}

/// The names below which stages of one name are kept.
Names entries_named(const std::string& directory, const std::string& name) {
  Names out;
  if (base::exists_at(AT_FDCWD, directory)) {
    for (const auto& each : base::list_directory(directory)) {
      if (each.starts_with(name + ".")) {
        out.push_back(each);
      }
    }
  }
  return out;
}

void require_private(const base::File& directory) {
  const auto status = directory.status();
  if (status.st_uid != ::geteuid() || (status.st_mode & 0022U) != 0) {
    throw Error(Errc::refused, base::cat("keep stages in ", directory.name(),
                                         ": it belongs to another account, or others may write "
                                         "there"));
  }
}

}  // namespace

std::string builder_version() {
  return MEPH2_VERSION;
}

std::string tree_fingerprint(const std::string& directory) {
  const auto root = base::open_directory(directory);
  std::string text;
  base::walk_tree(root.fd(), [&](const std::string& path, const struct stat& status) {
    text += base::cat(base::to_hex(path), " ", status.st_mode, " ", status.st_uid, ":",
                      status.st_gid, " ", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec, " ");
    if (!S_ISDIR(status.st_mode)) {
      text += base::cat(status.st_size, " ", content_of(root.fd(), path, status));
    }
    text += attributes_of(base::cat(directory, "/", path)) + "\n";
    return true;
  });
  return io::fingerprint(text);
}

std::string stage_name(const StageInputs& inputs) {
  return base::cat(inputs.stage, "-", io::fingerprint(whole(inputs).dump()));
}

StageStore::StageStore(const std::string& directory, bool resume, const sstream::Context& context)
    : resume_(resume), context_(context) {
  if (directory.empty()) {
    return;
  }
  base::make_directories(base::parent_of(directory));
  if (!base::exists_at(AT_FDCWD, directory)) {
    base::make_directory_at(AT_FDCWD, directory, 0700);
  }
  const auto opened = base::open_directory(directory);
  require_private(opened);
  directory_ = base::real_path(opened.fd());
  try {
    const base::FileLock alone(opened.fd(), "lock", base::LockMode::exclusive,
                               std::chrono::seconds(0));
    sweep();
  } catch (const Error& error) {
    if (error.code() != Errc::locked) {
      throw;
    }
  }
  lock_ = base::FileLock(opened.fd(), "lock", base::LockMode::shared, std::chrono::minutes(1));
}

void StageStore::sweep() const {
  for (const auto& name : base::list_directory(directory_)) {
    if (name == "lock") {
      continue;
    }
    const auto path = base::cat(directory_, "/", name);
    const auto record = name.starts_with('.') ? std::nullopt : read_record(path);
    const auto age = record ? age_of(*record, context_.clock.now()) : std::chrono::seconds(0);
    if (record && age >= std::chrono::seconds(0) && age <= oldest) {
      continue;
    }
    try {
      base::remove_tree(path);
    } catch (const Error& error) {
      context_.log.debug(base::cat("not removed: ", error.what()));
    }
  }
}

StageOutcome StageStore::run(const StageInputs& inputs, const std::string& label,
                             const std::string& made, const std::vector<std::string>& names,
                             const std::function<Json()>& work) {
  const bool keeping = keeps() && inputs.inputs.has_value();
  const auto name = keeping ? stage_name(inputs) : std::string();
  std::string reason = "what it starts from was not kept";
  auto outcome = keeping ? take(name, inputs, reason) : std::nullopt;
  if (!outcome) {
    base::make_directories(made);
    auto result = work();
    outcome = keeping ? keep(name, inputs, made, names, std::move(result))
                      : StageOutcome{.path = made, .digest = {}, .result = std::move(result)};
  }
  if (keeps()) {
    context_.log.info(base::cat(
        "stage ", label,
        outcome->taken ? ": taken from an earlier build" : base::cat(": made (", reason, ")")));
  }
  const std::lock_guard<std::mutex> guard(mutex_);
  if (outcome->digest) {
    used_.push_back(base::split(outcome->path.substr(directory_.size() + 1), '/').front());
  }
  return std::move(*outcome);
}

std::optional<StageOutcome> StageStore::take(const std::string& name, const StageInputs& inputs,
                                             std::string& reason) const {
  std::optional<StageOutcome> out;
  reason = "new";
  for (const auto& entry : entries_named(directory_, name)) {
    if (!out) {
      out = take_entry(base::cat(directory_, "/", entry), inputs, reason);
    }
    if (!out) {
      // Renamed, not removed: another build may have it mounted.
      base::rename_at(AT_FDCWD, base::cat(directory_, "/", entry), AT_FDCWD,
                      base::cat(directory_, "/", away_prefix, entry));
    }
  }
  return out;
}

std::optional<StageOutcome> StageStore::take_entry(const std::string& entry,
                                                   const StageInputs& inputs,
                                                   std::string& reason) const {
  if (!resume_) {
    reason = "told to start anew";
    return std::nullopt;
  }
  const auto record = read_record(entry);
  reason = record ? unfit(*record, inputs, context_.clock.now()) : "its record is damaged";
  if (!reason.empty()) {
    return std::nullopt;
  }
  const auto content = base::cat(entry, "/", content_name);
  try {
    auto digest = tree_fingerprint(content);
    if (digest == text_in(*record, "digest")) {
      return StageOutcome{.path = content,
                          .digest = std::move(digest),
                          .result = record->value("result", Json()),
                          .taken = true};
    }
    reason = "what was kept is damaged";
  } catch (const Error& error) {
    reason = base::cat("what was kept cannot be read: ", error.what());
  }
  return std::nullopt;
}

StageOutcome StageStore::keep(const std::string& name, const StageInputs& inputs,
                              const std::string& made, const std::vector<std::string>& names,
                              Json result) const {
  if (inputs.layer && device_of(made) != device_of(directory_)) {
    context_.log.debug(base::cat("stage ", inputs.stage, ": not kept, ", directory_,
                                 " is on another file system than ", made));
    return {.path = made, .digest = {}, .result = std::move(result)};
  }
  // Gone with this object unless it gets its name.
  const base::TempDir place(unfinished_prefix, directory_);
  const auto entry = base::cat(place.path(), "/entry");
  const auto content = base::cat(entry, "/", content_name);
  base::make_directories(content);
  for (const auto& each : names.empty() ? base::list_directory(made) : names) {
    move_in(base::cat(made, "/", each), base::cat(content, "/", each), inputs.layer);
  }
  auto digest = tree_fingerprint(content);
  const Json record{{"boot", boot_id()},
                    {"digest", digest},
                    {"made", context_.clock.now().time_since_epoch().count()},
                    {"result", result},
                    {"whole", whole(inputs)}};
  base::sync_directory(base::open_directory(content).fd(), content);
  base::replace_file(base::cat(entry, "/", record_name), io::to_text(record), 0600);
  // Each entry has a name of its own, so that two builds that make the same at the same time do not
  // get in each other's way.
  const auto final_path =
      base::cat(directory_, "/", name, ".", place.path().substr(place.path().rfind('-') + 1));
  base::rename_at(AT_FDCWD, entry, AT_FDCWD, final_path);
  base::sync_directory(base::open_directory(directory_).fd(), directory_);
  return {.path = base::cat(final_path, "/", content_name),
          .digest = std::move(digest),
          .result = std::move(result)};
}

void StageStore::forget() {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!keeps() || used_.empty()) {
    return;
  }
  lock_.release();
  try {
    const auto opened = base::open_directory(directory_);
    const base::FileLock alone(opened.fd(), "lock", base::LockMode::exclusive,
                               std::chrono::seconds(0));
    for (const auto& name : used_) {
      base::remove_tree(base::cat(directory_, "/", name));
    }
    sweep();
  } catch (const Error& error) {
    // Another build is at work here, perhaps with the same stages: they go when they are old.
    context_.log.debug(base::cat("stages are left: ", error.what()));
  }
  used_.clear();
}

}  // namespace meph2::image

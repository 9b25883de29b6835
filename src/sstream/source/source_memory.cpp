#include "sstream/source/source_memory.h"

#include <sys/file.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"

namespace sstream {

namespace {

using base::Errc;

constexpr const char* sources = "sources";
constexpr const char* facts_name = "source.json";
constexpr const char* originals = "originals";
constexpr std::uint64_t facts_limit = 16ULL << 20U;
constexpr std::chrono::hours furthest_ahead{24};

std::string stem_of(const std::string& path) {
  return path.substr(0, path.rfind('.'));
}

std::string text_at(const io::Json& object, const char* key) {
  return object.value(key, std::string());
}

[[noreturn]] void refuse(const std::string& what, const std::string& reason) {
  throw base::Error(Errc::untrusted,
                    base::cat(what, ": ", reason, "; --allow-rollback if that is meant"));
}

/// "sources/<id>" below the private directory, in one directory after the other, made.
base::File open_directory_below(int above, const std::string& name, bool make) {
  if (make && !base::exists_at(above, name)) {
    base::make_directory_at(above, name, 0755);
  }
  return base::open_directory_at(above, name);
}

/// Removes what a save that was killed left. Savers of one source take turns by a lock on its
/// directory: without it what is found may be another one's that is at work.
void remove_leftovers(const base::File& own) {
  if (::flock(own.fd(), LOCK_EX) != 0) {
    return;
  }
  std::vector<std::string> leftovers;
  base::walk_tree(own.fd(), [&](const std::string& path, const struct stat& /*status*/) {
    if (base::is_temporary_name(base::base_name(path))) {
      leftovers.push_back(path);
    }
    return true;
  });
  for (const auto& path : leftovers) {
    const auto parent = base::open_parent_beneath(own.fd(), path, false);
    base::unlink_at(parent.fd(), base::base_name(path));
  }
}

}  // namespace

SourceMemory::SourceMemory(std::string repository, Keep keep)
    : repository_(std::move(repository)), keep_(keep) {}

std::string SourceMemory::directory() const {
  return base::cat(repository_, "/.data/.sstream/", sources, "/", id_);
}

void SourceMemory::open(const std::string& base, const ReplayRules& rules, const base::Log& log) {
  base_ = base::redact_urls(base);
  id_ = io::digest_hex(io::Algorithm::sha256, base_).substr(0, 16);
  rules_ = rules;
  const auto name = base::cat(directory(), "/", facts_name);
  try {
    if (base::exists_at(AT_FDCWD, name)) {
      text_ = base::read_file(name, facts_limit);
      read(io::parse_json(text_, name));
    } else if (base::exists_at(AT_FDCWD, base::cat(directory(), "/", originals))) {
      throw base::Error(Errc::failed, base::cat(name, ": is missing"));
    }
  } catch (const std::exception& error) {
    if (!rules.allow_rollback) {
      throw base::Error(Errc::failed, base::cat("what is known of source ", base_,
                                                " cannot be read, so that an "
                                                "older state of it would pass unseen: ",
                                                error.what(), "; --allow-rollback begins anew"));
    }
    log.warning(base::cat("begins anew to remember source ", base_, ": ", error.what()));
    before_.clear();
    fetched_.clear();
    notes_ = io::Json::object();
    text_ = "anything else";
  }
  documents_ = before_;
}

void SourceMemory::read(const io::Json& json) {
  for (const auto& [stem, node] : json.at("documents").items()) {
    before_[stem] = {text_at(node, "form"), text_at(node, "updated"), text_at(node, "sha256"),
                     text_at(node, "signer"), text_at(node, "content_id")};
  }
  const auto fetched = json.value("fetched", io::Json::object());
  for (const auto& [path, node] : fetched.items()) {
    fetched_[path] = {text_at(node, "etag"), text_at(node, "last_modified"),
                      text_at(node, "sha256")};
  }
  notes_ = json.value("notes", io::Json::object());
}

io::Json SourceMemory::written() const {
  auto documents = io::Json::object();
  for (const auto& [stem, seen] : documents_) {
    auto& node = documents[stem];
    for (const auto& [key, value] :
         {std::pair("form", &seen.form), std::pair("updated", &seen.updated),
          std::pair("sha256", &seen.sha256), std::pair("signer", &seen.signer),
          std::pair("content_id", &seen.content_id)}) {
      if (!value->empty()) {
        node[key] = *value;
      }
    }
  }
  auto fetched = io::Json::object();
  for (const auto& [path, file] : fetched_) {
    fetched[path] = {
        {"etag", file.etag}, {"last_modified", file.last_modified}, {"sha256", file.sha256}};
  }
  return {{"documents", std::move(documents)},
          {"fetched", std::move(fetched)},
          {"notes", notes_},
          {"source", base_}};
}

std::string SourceMemory::state() const {
  std::string all;
  for (const auto& [path, file] : fetched_) {
    all += base::cat(path, " ", file.sha256, "\n");
  }
  return io::digest_hex(io::Algorithm::sha256, all).substr(0, 16);
}

std::optional<std::string> SourceMemory::signer() const {
  for (const auto& [stem, document] : before_) {
    if (!document.signer.empty()) {
      return document.signer;
    }
  }
  return std::nullopt;
}

void SourceMemory::judge_date(const std::string& path, const SeenDocument& document, bool first,
                              base::Time now) const {
  const auto date = base::parse_stamp(document.updated);
  const auto what = base::cat(base_, path);
  if (rules_.enforced && date && *date > now + furthest_ahead) {
    throw base::Error(Errc::untrusted,
                      base::cat(what, ": is dated ", document.updated,
                                ", which is more than a day ahead of the clock here (",
                                base::format_stamp(now), ")"));
  }
  if (first && rules_.max_age && (!date || *date + *rules_.max_age < now)) {
    throw base::Error(
        Errc::failed,
        base::cat(what, ": ", date ? "is dated " + document.updated : "bears no date that is one",
                  ", which is older than --max-age allows"));
  }
}

void SourceMemory::judge_against(const std::string& path, const SeenDocument& before,
                                 const SeenDocument& document, bool first, const base::Log& log) {
  const auto what = base::cat(base_, path);
  const auto date = base::parse_stamp(document.updated);
  const auto known = base::parse_stamp(before.updated);
  if (known && !date) {
    refuse(what, base::cat("bears no date; what was seen of it was dated ", before.updated));
  }
  if (known && *date < *known) {
    refuse(what, base::cat("is dated ", document.updated, ", older than what was seen of it, ",
                           before.updated));
  }
  if (before.content_id != document.content_id && !before.content_id.empty()) {
    refuse(what, base::cat("is content ", document.content_id, "; it was ", before.content_id));
  }
  if (before.form != document.form || before.sha256 == document.sha256 ||
      document.updated != before.updated) {
    index_moved_ = index_moved_ || (first && known && *date > *known);
    return;
  }
  if (!first && index_moved_) {
    log.info(base::cat(what, ": changed without a new date"));
    return;
  }
  refuse(what, base::cat("is dated ", document.updated,
                         " as what was seen of it, but has other content"));
}

void SourceMemory::judge(const std::string& path, SeenDocument document, bool first, base::Time now,
                         const base::Log& log) {
  document.form = path.substr(path.rfind('.') + 1);
  const auto stem = stem_of(path);
  const auto before = before_.find(stem);
  judge_date(path, document, first, now);
  if (rules_.enforced && before != before_.end() && !rules_.allow_rollback) {
    judge_against(path, before->second, document, first, log);
  }
  if (before != before_.end() && document.signer.empty()) {
    document.signer = before->second.signer;  // --no-verify does not make us forget it
  }
  documents_[stem] = std::move(document);
}

bool SourceMemory::has_original(const std::string& path) const {
  return fetched_.contains(path) &&
         base::exists_at(AT_FDCWD, base::cat(directory(), "/", originals, "/", path));
}

std::optional<Original> SourceMemory::original(const std::string& path) const {
  if (!has_original(path)) {
    return std::nullopt;
  }
  const auto found = fetched_.find(path);
  auto file =
      base::open_file(base::cat(directory(), "/", originals, "/", path), O_RDONLY | O_NOFOLLOW);
  if (io::digest_file(io::Algorithm::sha256, file) != found->second.sha256) {
    spoilt_.insert(path);
    return std::nullopt;  // it is fetched again
  }
  file.seek(0);
  return Original{std::move(file), found->second.etag, found->second.last_modified};
}

bool SourceMemory::keep_original(const std::string& path, Original original) {
  const bool kept = has_original(path) && !spoilt_.contains(path);
  auto& fetched = fetched_[path];
  const Fetched now{original.etag, original.last_modified,
                    io::digest_file(io::Algorithm::sha256, original.file)};
  original.file.seek(0);
  const bool same_bytes = kept && now.sha256 == fetched.sha256;
  fetched = now;
  if (!same_bytes) {
    fresh_[path] = std::move(original);
  }
  return same_bytes;
}

void SourceMemory::save() {
  const auto text = io::to_text(written());
  const bool same = text == text_ && fresh_.empty();
  const bool of_use = rules_.enforced || keep_ == Keep::originals;
  if (id_.empty() || same || !of_use || !base::exists_at(AT_FDCWD, repository_)) {
    return;
  }
  const Repository repository(repository_, Access::write);
  const auto all = open_directory_below(repository.private_dir(), sources, true);
  const auto own = open_directory_below(all.fd(), id_, true);
  remove_leftovers(own);
  // Facts first: originals without them are what is left when somebody takes the facts away.
  base::replace_file(own.fd(), facts_name, text);
  if (!fresh_.empty()) {
    const auto below = open_directory_below(own.fd(), originals, true);
    for (auto& [path, original] : fresh_) {
      const auto parent = base::open_parent_beneath(below.fd(), path, true);
      base::AtomicFile copy(parent.fd(), base::base_name(path));
      original.file.seek(0);
      std::vector<char> buffer(std::size_t{1} << 18U);
      while (const auto got = original.file.read(buffer)) {
        copy.file().write({buffer.data(), got});
      }
      copy.commit();
    }
    fresh_.clear();
  }
  text_ = text;
  before_ = documents_;
}

void SourceMemory::save_after(bool published) {
  try {
    save();
  } catch (const base::Error& error) {
    if (!published) {
      throw;
    }
    throw error.becomes(Errc::cleanup_incomplete, "published")
        .add_context("what was seen of the source is not remembered");
  }
}

}  // namespace sstream

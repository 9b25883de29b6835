#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/fs/file.h"
#include "base/log.h"
#include "io/json/json.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// How a source's age is judged.
struct ReplayRules {
  bool enforced = true;         ///< false: only remembered
  bool allow_rollback = false;  ///< --allow-rollback: older, or other, than what was seen is taken
  std::optional<std::chrono::seconds> max_age;  ///< --max-age: of the document read first
};

/// What is known of a document of a source.
struct SeenDocument {
  std::string form;        ///< "json" or "sjson"
  std::string updated;     ///< as it stands there
  std::string sha256;      ///< of the text that was signed
  std::string signer;      ///< primary fingerprint; empty: not verified
  std::string content_id;  ///< of a products file

  bool operator==(const SeenDocument&) const = default;
};

/// A file of a source as it was fetched, byte for byte.
struct Original {
  base::File file;
  std::string etag;
  std::string last_modified;
};

/// What a repository remembers of one source that it takes metadata from, so that nobody can offer
/// it an older state again, or two states at once: DIR/.data/.sstream/sources/<id>/source.json.
/// A mirror also keeps what it fetched there, under originals/: proof of what the source signed,
/// and the reason why it need not be fetched again.
class SourceMemory {
 public:
  enum class Keep : std::uint8_t { facts, originals };

  /// `repository` need not exist yet.
  explicit SourceMemory(std::string repository, Keep keep = Keep::facts);

  /// Reads what is known of the source at `base`. Error(failed) where that cannot be read: an
  /// attacker's old state must not pass for a first one; `rules.allow_rollback` begins anew.
  void open(const std::string& base, const ReplayRules& rules, const base::Log& log);

  /// Whether some document of the source was verified before; the key that it was signed with.
  std::optional<std::string> signer() const;

  /// Judges a document by what was seen of it under this path: Error(untrusted) for an older one,
  /// one with the same date and other content, one that has no date any more, another content id,
  /// and one dated more than 24 hours ahead; Error(failed) for a `first` one older than max_age.
  /// What passes is remembered when save() is called. Products files may change without a new date
  /// (the established tools change them so) if the index has moved on.
  void judge(const std::string& path, SeenDocument document, bool first, base::Time now,
             const base::Log& log);

  /// The file as it was fetched last, if it is kept and whole.
  std::optional<Original> original(const std::string& path) const;

  /// Whether one is kept, whole or not.
  bool has_original(const std::string& path) const;

  /// To be kept by save(). true: these very bytes are what was fetched last.
  bool keep_original(const std::string& path, Original original);

  bool keeps_originals() const { return keep_ == Keep::originals; }

  /// Stands for the files that were fetched last: another one, where one of them differs.
  std::string state() const;

  /// Anything else that a verb wants to remember of the source.
  io::Json& notes() { return notes_; }

  /// Whether anything that is read has to be judged or kept at all.
  bool is_of_use() const { return rules_.enforced || rules_.max_age || keep_ == Keep::originals; }

  /// Writes what has changed; nothing where there is no repository.
  void save();

  /// The same where something may have been `published` before: that stands, so what fails then is
  /// Error(cleanup_incomplete) with the state "published".
  void save_after(bool published);

  /// DIR/.data/.sstream/sources/<id>, for messages.
  std::string directory() const;

 private:
  struct Fetched {
    std::string etag;
    std::string last_modified;
    std::string sha256;

    bool operator==(const Fetched&) const = default;
  };

  void read(const io::Json& json);
  io::Json written() const;
  void judge_date(const std::string& path, const SeenDocument& document, bool first,
                  base::Time now) const;
  void judge_against(const std::string& path, const SeenDocument& before,
                     const SeenDocument& document, bool first, const base::Log& log);

  std::string repository_;
  Keep keep_;
  std::string base_;
  std::string id_;
  ReplayRules rules_;
  bool index_moved_ = false;
  std::map<std::string, SeenDocument> before_;  ///< by path without its ending
  std::map<std::string, SeenDocument> documents_;
  std::map<std::string, Fetched> fetched_;  ///< by path
  std::map<std::string, Original> fresh_;
  mutable std::set<std::string> spoilt_;  ///< kept, but not what was fetched
  io::Json notes_ = io::Json::object();
  std::string text_;  ///< as it is on disk
};

}  // namespace sstream

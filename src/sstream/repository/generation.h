#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sstream/format/index.h"
#include "sstream/format/product_tree.h"
#include "sstream/format/summary.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// One products file of a generation.
struct StreamFile {
  std::string file;  ///< name in streams/v1
  std::string format;
};

/// The metadata of a repository at one moment: what a verb plans on.
class Generation {
 public:
  /// The live one. Error(conflict) for two documents that claim one content id, Error(untrusted)
  /// for one that is not JSON, as far as it is read (see summary()).
  static Generation load(const Repository& repository);

  /// One that was replaced and is kept, by its name (Repository::kept_generations()). Errors as
  /// load(), and Error(not_found) naming those that there are.
  static Generation load_kept(const Repository& repository, const std::string& name);

  /// A fingerprint over the names and contents of all files, signatures too: equal means nobody
  /// published or signed meanwhile.
  const std::string& digest() const { return digest_; }

  /// By content id.
  const std::map<std::string, StreamFile>& streams() const { return streams_; }

  /// The index document, null when there is none.
  const io::Json& index() const { return index_; }

  /// What the index says of a stream: reads the document once, whole, or not at all if read_tree()
  /// has. Error(untrusted) where it is not JSON, Error(not_found) for an unknown content id.
  const StreamSummary& summary(const std::string& content_id) const;

  /// Parses a stream whole, for editing; nullopt where there is no such content id. The caller owns
  /// it.
  std::optional<ProductTree> read_tree(const std::string& content_id) const;

  /// Only what says something about these versions (sstream::read_versions()); not for editing.
  std::optional<ProductTree> read_versions(const std::string& content_id,
                                           const std::set<std::string>& versions) const;

  /// A stream's document; nullopt where there is no such content id.
  std::optional<base::File> open_stream(const std::string& content_id) const;

  /// content_digest() of a stream as it is live.
  std::string live_content_digest(const std::string& content_id) const;

  /// streams/v1, -1 when absent.
  int directory() const { return directory_.fd(); }

 private:
  static Generation read(base::File directory);
  base::File open(const std::string& name) const;

  base::File directory_;
  std::string digest_;
  std::map<std::string, StreamFile> streams_;
  io::Json index_;
  mutable std::map<std::string, StreamSummary> summaries_;
};

/// The names of the JSON documents in a directory of metadata.
std::vector<std::string> documents_in(int directory);

/// Generation::digest() of the files in a directory of metadata; -1 is an empty one.
std::string metadata_digest(int directory);

/// Only the digest of what is live now.
std::string live_digest(const Repository& repository);

/// sha256 of a tree as it is written, with `updated` left out: equal means the same content.
std::string content_digest(const ProductTree& tree);

}  // namespace sstream

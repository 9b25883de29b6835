#pragma once

#include <set>
#include <string>
#include <vector>

#include "sstream/publish/publication.h"
#include "sstream/source/content_source.h"
#include "sstream/verify/problem.h"

namespace meph2 {

struct VerifyOptions {
  std::string target;           ///< data directory, or the http(s) URL of one
  sstream::TrustOptions trust;  ///< without a keyring: the key that signs the repository
  sstream::DataCheck data;
  std::string repair_from;           ///< directory or URL that has the same files; empty: none
  bool drop_broken = false;          ///< take versions out whose files stay broken
  std::set<std::string> allow_drop;  ///< products that may lose their last version
  sstream::PublishOptions publish;   ///< for what changes the metadata
};

/// What became of a problem.
enum class Remedy : std::uint8_t { none, repaired, dropped };

const char* name_of(Remedy remedy);

struct FoundProblem {
  sstream::Problem problem;
  Remedy remedy = Remedy::none;
  std::string failure;  ///< why it could not be repaired
};

struct VerifyResult {
  std::vector<FoundProblem> problems;
  std::size_t documents = 0;
  bool signatures_checked = false;
  std::size_t files = 0;  ///< that the metadata names
  std::uint64_t bytes = 0;
  sstream::DataVerdict data;         ///< its problems are in `problems`
  bool untrusted = false;            ///< the metadata itself is not to be believed
  std::vector<std::string> dropped;  ///< "PRODUCT@VERSION"
  bool refused = false;  ///< nothing was dropped: a held version, or a product's last one
  sstream::PublishResult published;  ///< where signatures were made again or versions dropped

  /// Nothing is left to be done.
  bool clean() const;
};

/// Compares a repository with what it says of itself, and reports all that is wrong: the metadata
/// (sstream::verify_metadata()), that every data file exists with its size, and with `data.read`
/// every byte. Of a URL the files are fetched with `data.read` only.
///
/// With `repair_from`, missing and damaged files are fetched from there, by their digest, verified
/// and put in place; a document that one of its two signatures vouches for is signed again. With
/// `drop_broken`, versions that name a file which stays broken are taken out of the metadata.
/// Nothing is changed in a repository whose metadata is not to be believed.
///
/// Error(not_found) without a stream; Error(usage) for a signed one without a key to check it by.
VerifyResult verify(const VerifyOptions& options, const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "meph2/supply/add_versions.h"
#include "sstream/source/content_source.h"

namespace meph2 {

struct PromoteOptions {
  std::string source;  ///< directory, file or URL
  std::string target;  ///< data directory
  std::string version;
  std::vector<std::string> filters;
  std::string label = "release";
  bool skip_file_copy = false;  ///< the files must be in the target already
  bool allow_partial = false;   ///< the filters may leave out items of a version
  std::chrono::seconds soak{0};
  sstream::TrustOptions trust;
  sstream::PublishOptions publish;
};

struct PromoteResult {
  AddedItems items;
  /// Of the whole promotion, also of what was there already: label, source (with its stamps and
  /// digests) and the digest of each item. The target's history keeps it.
  io::Json details;
  sstream::PublishResult published;
};

/// The labels that streams use; others are allowed.
const std::vector<std::string>& usual_labels();

/// Copies a version of a daily or candidate stream into a release stream (docs/format.md 4.7): ids
/// lose their channel, the label is set, the files are brought in and verified, those that are
/// there as well. All or nothing. Nothing is removed, and no item's content is replaced:
/// Error(conflict) naming both digests. Error(not_found) for a version that nothing matches,
/// Error(refused) for one that is too young or that the filters would cut in half, Error(usage) for
/// a label that cannot be one and for a source that is the target.
PromoteResult promote(const PromoteOptions& options, const sstream::Context& context);

}  // namespace meph2

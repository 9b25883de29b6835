#pragma once

#include <string>

#include "meph2/supply/add_versions.h"
#include "sstream/source/content_source.h"

namespace meph2 {

struct MergeOptions {
  std::string source;  ///< a local directory, or an index or products file in one
  std::string target;  ///< data directory
  sstream::TrustOptions trust;
  sstream::PublishOptions publish;
};

struct MergeResult {
  AddedItems items;
  sstream::PublishResult published;
};

/// Unites two local streams: the target gets every content id, product, version and item that the
/// source has beside, with their files; what it has stays as it is. Error(conflict) naming both
/// digests for an item that they have with different content. Error(not_found) for a source that is
/// no stream, Error(usage) for one that is not local or is the target.
MergeResult merge(const MergeOptions& options, const sstream::Context& context);

}  // namespace meph2

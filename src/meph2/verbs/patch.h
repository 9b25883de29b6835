#pragma once

#include <string>
#include <vector>

#include "meph2/supply/add_versions.h"
#include "meph2/verbs/patch_file.h"
#include "sstream/source/content_source.h"

namespace meph2 {

struct PatchOptions {
  std::vector<StreamPatch> patches;
  std::string source;  ///< where what is added comes from; empty: nothing can be added
  std::string target;  ///< data directory
  sstream::TrustOptions trust;
  sstream::PublishOptions publish;
};

struct PatchResult {
  std::vector<std::string> changes;  ///< one line each, in words
  AddedItems items;
  sstream::PublishResult published;
};

/// Makes of a data directory what the patches say (docs/format.md 4.7), all of them in one
/// transaction. A product or version whose labels lack the target's goes; one that has it and is
/// not there is added from the source, under the target's label, with its files; tags get the value
/// that is given for the target's label. What is so already stays as it is. Error(not_found) naming
/// the entry for a stream that the target lacks, for a pattern that nothing matches, and for what
/// the source lacks; Error(failed) for an addition without a source; Error(conflict) where an entry
/// could mean two streams.
PatchResult patch(const PatchOptions& options, const sstream::Context& context);

}  // namespace meph2

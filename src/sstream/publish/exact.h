#pragma once

#include <map>
#include <string>

#include "base/fs/file.h"
#include "sstream/publish/next_generation.h"

namespace sstream {

/// Metadata that is published as it is: name in streams/v1 -> content.
using ExactMetadata = std::map<std::string, base::File>;

/// What its index lists, read from its documents. Error(untrusted) where that does not fit
/// together: no index.json, an entry that is not directly below streams/v1, a document that is
/// missing or is another content.
Listing listing_of(ExactMetadata& metadata);

/// Whether it is what is live, byte for byte.
bool is_live(ExactMetadata& metadata, const Generation& live);

}  // namespace sstream

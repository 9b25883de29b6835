#pragma once

#include "sstream/publish/exact.h"
#include "sstream/source/content_source.h"

namespace sstream {

/// All metadata of a source as it offers it: the index and the products files, each as X.json, with
/// X.json.gpg and X.sjson where they are. With a keyring each form is verified. Error(untrusted)
/// where two forms say different things, or X.json is missing.
ExactMetadata exact_metadata(ContentSource& source);

}  // namespace sstream

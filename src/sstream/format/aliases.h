#pragma once

#include "io/json/json_fwd.h"

namespace sstream {

/// Expands the top-level `_aliases` in place (docs/format.md 1.7): one pass per object, keys
/// introduced by a merge are not expanded again. An unknown value is left alone (the established
/// tools lose the whole sync over it).
void expand_aliases(io::Json& tree);

}  // namespace sstream

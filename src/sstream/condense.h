#pragma once

#include <set>
#include <string>

#include "io/json.h"

namespace sstream {

using Sticky = std::set<std::string>;

/// Keys that never leave the item when we write a stream: MAAS reads them there only
/// (streams.md 5.5).
const Sticky& default_sticky();

enum class CondenseTop { versions, products };

/// Moves strings that all children share up to their parent (streams.md 2.4), honouring `sticky` at
/// every step. `label`, `os`, `arch`, `release`, `subarch`, `subarches`, `version` and the like end
/// on the product: where versions of one product differ in such a key it is an Error(refused),
/// because MAAS then rejects the file (streams.md K58)... see condense.cpp for the exact list.
void condense(io::Json& tree, const Sticky& sticky, CondenseTop top = CondenseTop::versions);

}  // namespace sstream

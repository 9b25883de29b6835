#pragma once

#include <set>
#include <string>

#include "sstream/format/product_tree.h"

namespace sstream {

using Sticky = std::set<std::string>;

/// Keys that never leave the item when we write a stream: MAAS reads them there only
/// (docs/format.md 5.2).
const Sticky& default_sticky();

enum class CondenseTop { versions, products };

/// Moves strings that all children share up to their parent (docs/format.md 2.3). `sticky` is
/// honoured at every step (the established tools forget it at the last one). `tree` is a products
/// document.
void condense(io::Json& tree, const Sticky& sticky, CondenseTop top = CondenseTop::versions);

/// After condense, for consumers that inherit nothing (MAAS reads label, os, arch, release and the
/// like on the product only, docs/format.md 5.2): where the versions of a product differ in such a
/// key, the product gets the newest version's value and the others keep, or get, their own. Every
/// item's inherited tags stay what they were. Also after a version was removed.
void settle_product_tags(io::Json& tree);

/// What every tree goes through that gained versions: condense(), then settle_product_tags(). A
/// product without versions stays; who may drop it calls prune() before.
void ready_to_publish(ProductTree& tree, const Sticky& sticky = default_sticky());

}  // namespace sstream

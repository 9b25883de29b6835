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

/// Moves strings that all children share up to their parent (streams.md 2.4). `sticky` is honoured
/// at every step (the established tools forget it at the last one). `tree` is a products document.
void condense(io::Json& tree, const Sticky& sticky, CondenseTop top = CondenseTop::versions);

/// Keys that consumers which inherit nothing (MAAS) read on the product only: label, os, arch,
/// release, subarch, subarches, version and the like. Without support_eol and support_esm_eol:
/// those dates move in time, and no consumer needs them.
const Sticky& product_tags();

/// For a document that such consumers read, after condense: Error(refused) if the versions of one
/// product differ in one of `tags`, so that it could not end on the product, naming the product,
/// the key, and each value with a version that has it. Apart from condense(), and for the caller to
/// ask: streams of other kinds may well differ there (cloud images have a label for each version),
/// and the established insert publishes such versions.
void require_product_tags(const io::Json& tree, const Sticky& tags = product_tags());

}  // namespace sstream

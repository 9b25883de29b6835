#pragma once

#include <functional>
#include <string>

#include "sstream/product_tree.h"

namespace sstream {

/// A tree for a content that the target does not have yet: the source's own top-level keys, no
/// products.
ProductTree empty_like(const ProductTree& source);

/// Puts a version of `source` into `target` (replacing one of that name) so that every item, the
/// new ones and those that were there, keeps the tags it had, inherited ones included, with their
/// JSON types. Tags that differ move down from the product to its versions. Only items that
/// `wanted` accepts come along.
void graft_version(const ProductTree& source, const std::string& product,
                   const std::string& version, ProductTree& target,
                   const std::function<bool(const Item& item)>& wanted);

}  // namespace sstream

#pragma once

#include <functional>
#include <string>

#include "sstream/format/product_tree.h"

namespace sstream {

/// Wants them all.
inline bool any_item(const Item& /*item*/) {
  return true;
}

/// A tree for a content that the target does not have yet: the source's own top-level keys, no
/// products.
ProductTree empty_like(const ProductTree& source);

/// All that an item says of itself and inherits, with its JSON types, without the keys that make
/// the tree. The item must be there.
Json tags_of(const ProductTree& tree, const Pedigree& item);

/// A tree that has one version only, with the items of both: those of `first`, and what `second`
/// has beside them. Every item keeps the tags it had; what all of them inherit alike stays on the
/// product. Both must have the version.
ProductTree unite_version(const ProductTree& first, const ProductTree& second,
                          const Pedigree& version);

/// Puts a version of `source` into `target` (replacing one of that name) so that every item, the
/// new ones and those that were there, keeps the tags it had, inherited ones included, with their
/// JSON types. Tags that differ move down from the product to its versions. Only items that
/// `wanted` accepts come along.
void graft_version(const ProductTree& source, const std::string& product,
                   const std::string& version, ProductTree& target,
                   const std::function<bool(const Item& item)>& wanted);

}  // namespace sstream

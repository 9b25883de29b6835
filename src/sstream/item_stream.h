#pragma once

#include <functional>

#include "base/file.h"
#include "sstream/product_tree.h"

namespace sstream {

/// Walks the items of a products file of any size in little memory (two passes: the levels' own
/// tags, then the items). The same Item as ProductTree::for_each_item gives, valid during the call.
void visit_items(base::File& file, const std::function<void(const Item& item)>& visit);

}  // namespace sstream

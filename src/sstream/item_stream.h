#pragma once

#include <functional>

#include "base/file.h"
#include "sstream/product_tree.h"

namespace sstream {

/// Walks the items of a products file of any size with little more memory than its largest version
/// takes (two passes: the tags that follow a level's children, then the items). The same checks,
/// the same items in the same order as ProductTree::for_each_item gives if the file is sorted, else
/// in the file's order; valid during the call. An item that fails a check may come after others
/// have been visited. A file with _aliases is read as a whole.
void visit_items(base::File& file, const std::function<void(const Item& item)>& visit);

}  // namespace sstream

#pragma once

#include <functional>

#include "base/file.h"
#include "sstream/product_tree.h"

namespace sstream {

/// Walks the items of a products file of any size with little more memory than its largest version
/// takes (two passes: the tags that follow a level's children, then the items). The same checks as
/// ProductTree makes, and the same items, in the order of the file; valid during the call. An item
/// that fails a check may come after others have been visited. A file with _aliases is read as a
/// whole, and visited in sorted order. `head` is told the document's own tags before any item.
void visit_items(base::File& file, const std::function<void(const Item& item)>& visit,
                 const std::function<void(const Json& top)>& head = {});

}  // namespace sstream

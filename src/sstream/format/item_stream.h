#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// What is known of a products file before its items come by.
struct ProductsHead {
  const Json& top;                           ///< the document's own tags
  const std::vector<std::string>& products;  ///< in the order of the file
};

/// Walks the items of a products file of any size with little more memory than its largest version
/// takes (two passes: the tags that follow a level's children, then the items). The same checks as
/// ProductTree makes, and the same items, in the order of the file; valid during the call. An item
/// that fails a check may come after others have been visited. A file with _aliases is read as a
/// whole, and visited in sorted order. `head` is told once, before any item.
void visit_items(base::File& file, const std::function<void(const Item& item)>& visit,
                 const std::function<void(const ProductsHead& head)>& head = {});

}  // namespace sstream

#pragma once

#include <functional>

#include "base/fs/file.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// Walks the items of a products file of any size, as visit_versions() does with its versions: the
/// same checks as ProductTree makes, and the same items, in the order of the file; valid during the
/// call. An item that fails a check may come after others have been visited. A file with _aliases
/// is read as a whole, and visited in sorted order. `head` is told once, before any item, all that
/// is not a version.
void visit_items(base::File& file, const std::function<void(const Item& item)>& visit,
                 const std::function<void(const ProductTree& tags)>& head = {});

}  // namespace sstream

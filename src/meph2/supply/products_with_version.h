#pragma once

#include <set>
#include <string>

#include "sstream/format/filter.h"
#include "sstream/format/product_tree.h"

namespace meph2 {

/// Products that have the version, with an item of it that matches (inherited tags included); with
/// no filter, in any case.
std::set<std::string> products_with_version(const sstream::ProductTree& tree,
                                            const std::string& version,
                                            const sstream::Filters& filters);

}  // namespace meph2

#pragma once

#include <set>
#include <string>

#include "base/file.h"
#include "sstream/product_tree.h"

namespace sstream {

/// Reads of a products file what says something about these versions: all keys, of the document and
/// of all products, but no version of another name. Takes little memory however many there are. The
/// syntax of the whole document is checked, the structure of what is left out is not.
ProductTree read_versions(base::File& file, const std::set<std::string>& versions);

}  // namespace sstream

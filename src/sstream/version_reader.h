#pragma once

#include <string>

#include "base/file.h"
#include "sstream/product_tree.h"

namespace sstream {

/// Reads of a products file what says something about one version: all keys, of the document and of
/// all products, but no other version. Takes little memory however many there are. The syntax of
/// the whole document is checked, the structure of what is left out is not.
ProductTree read_version(base::File& file, const std::string& version);

}  // namespace sstream

#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// Reads of a products file what says something about these versions: all keys, of the document and
/// of all products, but no version of another name. Takes little memory however many there are. The
/// syntax of the whole document is checked, the structure of what is left out is not.
ProductTree read_versions(base::File& file, const std::set<std::string>& versions);

/// Hands out a products file of any size in two passes: first `head`, all that is not a version,
/// then each version as it stands in the file, with all its keys. What is handed out stays valid:
/// `head` until the end. The structure of all of it is checked. A file with _aliases is read as a
/// whole, expanded and handed out in sorted order.
class VersionVisitor {
 public:
  VersionVisitor() = default;
  VersionVisitor(const VersionVisitor&) = delete;
  VersionVisitor& operator=(const VersionVisitor&) = delete;
  virtual ~VersionVisitor() = default;
  virtual void head(const ProductTree& tags) = 0;
  /// `product` is the product's node in the head.
  virtual void version(const Pedigree& version, const Json& product, const Json& node) = 0;
};

/// `item_order`: has the names of a version's items in the order of the file while the version is
/// handed out, which its node does not keep.
void visit_versions(base::File& file, VersionVisitor& visitor,
                    std::vector<std::string>* item_order = nullptr);

}  // namespace sstream

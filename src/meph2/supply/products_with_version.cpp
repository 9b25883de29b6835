#include "meph2/supply/products_with_version.h"

namespace meph2 {

std::set<std::string> products_with_version(const sstream::ProductTree& tree,
                                            const std::string& version,
                                            const sstream::Filters& filters) {
  std::set<std::string> products;
  if (filters.empty()) {
    for (const auto& [product, node] : tree.products().items()) {
      if (tree.version(product, version) != nullptr) {
        products.insert(product);
      }
    }
    return products;
  }
  tree.for_each_item([&](const sstream::Item& item) {
    if (item.pedigree().version == version && filters.matches(item)) {
      products.insert(item.pedigree().product);
    }
  });
  return products;
}

}  // namespace meph2

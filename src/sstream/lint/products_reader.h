#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/fs/file.h"
#include "sstream/lint/document.h"

namespace sstream::lint {

/// What has to be known of a products file before its items come by.
struct Survey {
  Tags tags;                              ///< the document's own
  bool has_products = false;              ///< there is an object `products`
  std::map<std::string, Tags> late_tags;  ///< of products: those that stand behind `versions`
  std::set<std::string> ftypes;           ///< of the first version of each product
};

/// Reads it in one pass, whatever the document is. Throws only where it is no JSON.
Survey survey(base::File& file);

/// What a reader is told, in the order of the file: the product with all its tags before its first
/// version, the version with its tags and items when all of it was read, the product again when its
/// versions were. `odd` is told of what is not the object that it has to be (and is passed over).
struct ProductsEvents {
  std::function<void(Product& product, Version& version)> version;
  std::function<void(Product& product)> product;
  std::function<void(const Place& place, const Json& value)> odd;
};

/// The second pass, in the memory that the largest version takes. `file` gets the names of the
/// products.
void read_products(base::File& from, const Survey& known, ProductsFile& file,
                   const ProductsEvents& events);

}  // namespace sstream::lint

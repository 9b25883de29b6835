#include "meph2/remove_version.h"

#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/filter.h"

namespace meph2 {

namespace {

/// Products that have the version, with an item that matches (or, with no filter, in any case).
std::set<std::string> matching_products(const sstream::ProductTree& tree,
                                        const std::string& version,
                                        const sstream::Filters& filters) {
  std::set<std::string> products;
  tree.for_each_item([&](const sstream::Item& item) {
    if (item.pedigree().version == version && filters.matches(item)) {
      products.insert(item.pedigree().product);
    }
  });
  if (filters.empty()) {
    for (const auto& [product, node] : tree.products().items()) {
      if (tree.version(product, version) != nullptr) {
        products.insert(product);
      }
    }
  }
  return products;
}

}  // namespace

RemoveVersionResult remove_version(const RemoveVersionOptions& options,
                                   const sstream::Context& context) {
  const sstream::Filters filters(options.filters);
  RemoveVersionResult result;
  const auto planner = [&](const sstream::Generation& live) {
    sstream::Plan plan;
    result.products.clear();
    for (const auto& [content_id, stream] : live.streams()) {
      if (stream.format != "products:1.0") {
        continue;
      }
      auto tree = *live.read_tree(content_id);
      const auto products = matching_products(tree, options.version, filters);
      for (const auto& product : products) {
        tree.remove({product, options.version, {}});
        result.products.push_back(product);
      }
      if (!products.empty()) {
        plan.streams.push_back(std::move(tree));
      }
    }
    if (result.products.empty()) {
      throw base::Error(
          base::Errc::not_found,
          base::cat(options.target, ": no product that matches has version ", options.version));
    }
    return plan;
  };
  result.published = sstream::publish(options.target, planner, options.publish, context);
  return result;
}

}  // namespace meph2

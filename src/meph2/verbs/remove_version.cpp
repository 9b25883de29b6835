#include "meph2/verbs/remove_version.h"

#include "base/error.h"
#include "base/strings.h"
#include "meph2/supply/products_with_version.h"
#include "sstream/format/condense.h"
#include "sstream/repository/holds.h"

namespace meph2 {

namespace {

void require_not_held(const RemoveVersionOptions& options, const std::vector<std::string>& products,
                      base::Time now) {
  const auto holds =
      sstream::Holds::load(sstream::Repository(options.target, sstream::Access::read));
  for (const auto& product : products) {
    const auto* hold = holds.find(product, options.version, now);
    if (hold != nullptr && !options.force) {
      throw base::Error(
          base::Errc::refused,
          base::cat(product, "@", options.version, " is held by ", hold->by,
                    hold->reason.empty() ? "" : ": ", hold->reason, "; unhold it, or --force"));
    }
  }
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
      const auto products = products_with_version(tree, options.version, filters);
      for (const auto& product : products) {
        tree.remove({product, options.version});
        result.products.push_back(product);
      }
      if (!products.empty()) {
        // What is the newest version now decides what the product says.
        sstream::settle_product_tags(tree.json());
        plan.streams.push_back(std::move(tree));
      }
    }
    if (result.products.empty()) {
      throw base::Error(
          base::Errc::not_found,
          base::cat(options.target, ": no product that matches has version ", options.version));
    }
    require_not_held(options, result.products, context.clock.now());
    plan.details = {{"products", result.products}, {"version", options.version}};
    return plan;
  };
  result.published = sstream::publish(options.target, planner, options.publish, context);
  return result;
}

}  // namespace meph2

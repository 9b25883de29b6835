#include "meph2/verbs/copy_version.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/supply/products_with_version.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

using base::Errc;
using sstream::Item;
using sstream::Json;
using sstream::Pedigree;
using sstream::ProductTree;

/// The copies of one stream, before they enter it, and where their files come from.
class Copies {
 public:
  Copies(const CopyVersionOptions& options, const ProductTree& live)
      : options_(options), live_(live), tree_(sstream::empty_like(live)) {}

  void add(const std::string& product) {
    auto node = Json::object();
    for (const auto& [key, value] : live_.product(product)->items()) {
      if (key != "versions") {
        node[key] = value;
      }
    }
    node["versions"][options_.to] = renamed(product);
    tree_.set({product}, std::move(node));
  }

  Supply supply() const {
    return {tree_,
            [this](const std::string& path) {
              return base::cat(options_.target, "/", origins_.at(path));
            },
            base::cat("version ", options_.from), true};
  }

 private:
  Json renamed(const std::string& product) {
    const auto& version = *live_.version(product, options_.from);
    auto copy = version;
    // Where a single item's path had moved up, it goes back to the item.
    copy.erase("path");
    const auto items = copy.find("items");
    if (items == copy.end()) {
      return copy;
    }
    for (const auto& [name, leaf] : items->items()) {
      const Pedigree id{product, options_.from, name};
      const auto path = live_.view(id)->path();
      if (!path) {
        continue;
      }
      const auto renamed_path = path_of_copy(*path, options_.from, options_.to);
      if (!renamed_path) {
        throw base::Error(Errc::failed,
                          base::cat(id.text(), ": no part of its path ", *path, " is ",
                                    options_.from, ": the copy would share the file"));
      }
      leaf["path"] = *renamed_path;
      origins_[*renamed_path] = *path;
    }
    return copy;
  }

  const CopyVersionOptions& options_;
  const ProductTree& live_;
  ProductTree tree_;
  std::map<std::string, std::string> origins_;
};

/// true when the product has the copy already.
bool has_copy(const Supply& supply, const Pedigree& version, const ProductTree& tree) {
  if (tree.version(version.product, version.version) == nullptr) {
    return false;
  }
  const auto difference = require_nothing_more(supply, version, sstream::any_item, tree);
  if (!difference.only_supply.empty()) {
    throw base::Error(Errc::conflict, base::cat(version.text(), ": is there already, without ",
                                                base::join(difference.only_supply, ", "),
                                                ", which ", supply.name, " has"));
  }
  return true;
}

/// Plans one stream; returns whether any product of it has the version.
bool plan_stream(const CopyVersionOptions& options, const sstream::Filters& filters,
                 ProductTree tree, sstream::Plan& plan, CopyVersionResult& result) {
  const auto products = products_with_version(tree, options.from, filters);
  Copies copies(options, tree);
  for (const auto& product : products) {
    copies.add(product);
  }
  const auto supply = copies.supply();
  bool changed = false;
  for (const auto& product : products) {
    const Pedigree copy{product, options.to};
    if (!has_copy(supply, copy, tree)) {
      add_version(supply, copy, sstream::any_item, tree, plan, result.items);
      result.products.push_back(product);
      changed = true;
    }
  }
  if (changed) {
    add_stream(std::move(tree), plan);
  }
  return !products.empty();
}

void check_names(const CopyVersionOptions& options) {
  if (const char* reason = sstream::bad_name_reason(options.to); reason != nullptr) {
    throw base::Error(Errc::usage, base::cat("version '", options.to, "': ", reason));
  }
  if (options.from == options.to) {
    throw base::Error(Errc::usage, base::cat("both versions are ", options.from));
  }
}

}  // namespace

std::optional<std::string> path_of_copy(const std::string& path, const std::string& from,
                                        const std::string& to) {
  auto parts = base::split(path, '/');
  if (std::find(parts.begin(), parts.end(), from) == parts.end()) {
    return std::nullopt;
  }
  std::replace(parts.begin(), parts.end(), from, to);
  return base::join(parts, "/");
}

CopyVersionResult copy_version(const CopyVersionOptions& options, const sstream::Context& context) {
  check_names(options);
  const sstream::Filters filters(options.filters);
  CopyVersionResult result;
  const auto planner = [&](const sstream::Generation& live) {
    sstream::Plan plan;
    result.products.clear();
    result.items.clear();
    bool found = false;
    for (const auto& [content_id, stream] : live.streams()) {
      if (stream.format == "products:1.0") {
        auto tree = live.read_tree(content_id);
        found = plan_stream(options, filters, std::move(*tree), plan, result) || found;
      }
    }
    if (!found) {
      throw base::Error(
          Errc::not_found,
          base::cat(options.target, ": no product that matches has version ", options.from));
    }
    plan.details = {{"from", options.from}, {"products", result.products}, {"to", options.to}};
    return plan;
  };
  result.published = publish_added(options.target, planner, options.publish, context);
  return result;
}

}  // namespace meph2

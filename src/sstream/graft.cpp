#include "sstream/graft.h"

#include <set>

namespace sstream {

namespace {

const std::set<std::string>& structural_keys() {
  static const std::set<std::string> keys = {"_aliases", "content_id", "datatype", "format",
                                             "items",    "products",   "updated",  "versions"};
  return keys;
}

/// A level's own keys, of any type, without those that make the tree.
Json own_keys(const Json& node) {
  Json out = Json::object();
  for (const auto& [key, value] : node.items()) {
    if (!structural_keys().contains(key)) {
      out[key] = value;
    }
  }
  return out;
}

/// What a version of the product inherits from above it.
Json inherited_by_versions(const ProductTree& tree, const std::string& product) {
  auto inherited = own_keys(tree.json());
  if (const auto* node = tree.product(product); node != nullptr) {
    inherited.update(own_keys(*node));
  }
  return inherited;
}

const Json* find(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

bool same(const Json* a, const Json* b) {
  return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
}

/// Moves a product's key down to those of its versions that do not have one of their own.
void push_down(Json& product, const std::string& key) {
  const auto value = product.at(key);
  product.erase(key);
  for (auto& version : product["versions"]) {
    if (!version.contains(key)) {
      version[key] = value;
    }
  }
}

/// Version `node`, about to enter `product`: its tags come out as they were under `inherited`.
void reconcile(Json& product, const Json& target_top, const Json& inherited, Json& node) {
  std::set<std::string> keys;
  const auto collect = [&](const Json& object) {
    for (const auto& entry : object.items()) {
      if (!structural_keys().contains(entry.key())) {
        keys.insert(entry.key());
      }
    }
  };
  collect(inherited);
  collect(product);
  for (const auto& key : keys) {
    const auto* wanted = find(inherited, key);
    const auto* own = find(product, key);
    const auto* effective = own != nullptr ? own : find(target_top, key);
    if (same(wanted, effective)) {
      continue;
    }
    if (own != nullptr) {
      push_down(product, key);
    }
    if (wanted != nullptr && !node.contains(key)) {
      node[key] = *wanted;
    }
  }
}

}  // namespace

ProductTree empty_like(const ProductTree& source) {
  auto json = Json::object();
  for (const auto& [key, value] : source.json().items()) {
    if (key != "products" && key != "_aliases") {
      json[key] = value;
    }
  }
  json["products"] = Json::object();
  return {std::move(json), source.name(), Aliases::kept};
}

void graft_version(const ProductTree& source, const std::string& product,
                   const std::string& version, ProductTree& target,
                   const std::function<bool(const Item& item)>& wanted) {
  const auto& source_product = *source.product(product);
  auto node = *source.version(product, version);
  auto& items = node["items"];
  for (auto entry = items.begin(); entry != items.end();) {
    const Pedigree id{product, version, entry.key()};
    const bool keep =
        wanted(Item(id, source.json(), source_product, *source.version(product, version), *entry));
    entry = keep ? std::next(entry) : items.erase(entry);
  }
  const auto top = own_keys(target.json());
  const auto inherited = inherited_by_versions(source, product);
  if (target.product(product) == nullptr) {
    auto fresh = Json::object();
    for (const auto& [key, value] : inherited.items()) {
      if (!same(&value, find(top, key))) {
        fresh[key] = value;
      }
    }
    fresh["versions"] = Json::object();
    target.set({product, {}, {}}, std::move(fresh));
  }
  auto& target_product = target.products().at(product);
  if (!target_product.contains("versions")) {
    target_product["versions"] = Json::object();
  }
  target_product["versions"].erase(version);
  reconcile(target_product, top, inherited, node);
  target_product["versions"][version] = std::move(node);
}

}  // namespace sstream

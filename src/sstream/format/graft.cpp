#include "sstream/format/graft.h"

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

const Json::object_t& object_of(const Json& node) {
  return node.get_ref<const Json::object_t&>();
}

/// The item with what it inherits, apart from what is said in `common`.
Json with_inherited(Json item, const Json& inherited, const Json& common) {
  for (const auto& [key, value] : object_of(inherited)) {
    if (!common.contains(key) && !item.contains(key)) {
      item[key] = value;
    }
  }
  return item;
}

/// What the items of a version inherit from it and from above.
Json inherited_by_items(const ProductTree& tree, const Pedigree& version) {
  auto inherited = inherited_by_versions(tree, version.product);
  inherited.update(own_keys(*tree.version(version.product, version.version)));
  return inherited;
}

}  // namespace

Json tags_of(const ProductTree& tree, const Pedigree& item) {
  auto tags = inherited_by_items(tree, item);
  tags.update(own_keys(*tree.item(item)));
  return tags;
}

ProductTree unite_version(const ProductTree& first, const ProductTree& second,
                          const Pedigree& version) {
  const auto ours = inherited_by_items(first, version);
  const auto theirs = inherited_by_items(second, version);
  auto common = Json::object();
  for (const auto& [key, value] : ours.items()) {
    if (same(&value, find(theirs, key))) {
      common[key] = value;
    }
  }
  auto items = Json::object();
  const auto add_items = [&](const ProductTree& tree, const Json& inherited) {
    const auto* level = find(*tree.version(version.product, version.version), "items");
    if (level == nullptr) {
      return;
    }
    for (const auto& [name, leaf] : object_of(*level)) {
      if (!items.contains(name)) {
        items[name] = with_inherited(leaf, inherited, common);
      }
    }
  };
  add_items(first, ours);
  add_items(second, theirs);
  auto united = ProductTree::make(first.content_id(), first.datatype());
  common["versions"] = {{version.version, {{"items", std::move(items)}}}};
  united.set({version.product}, std::move(common));
  return united;
}

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
  auto node = *source.version(product, version);
  if (const auto items = node.find("items"); items != node.end()) {
    for (auto entry = items->begin(); entry != items->end();) {
      const Pedigree id{product, version, entry.key()};
      entry = wanted(*source.view(id)) ? std::next(entry) : items->erase(entry);
    }
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
    target.set({product}, std::move(fresh));
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

#include "sstream/format/condense.h"

#include <algorithm>
#include <vector>

namespace sstream {

namespace {

using io::Json;

/// The objects under `key`, in order.
std::vector<Json*> children_of(Json& node, const char* key) {
  std::vector<Json*> children;
  if (const auto level = node.find(key); level != node.end() && level->is_object()) {
    for (auto& child : *level) {
      children.push_back(&child);
    }
  }
  return children;
}

/// True if every child has `key` with the same value as the first, a string.
bool shared_by_all(const std::vector<Json*>& children, const std::string& key, const Json& value) {
  for (const Json* child : children) {
    const auto at = child->find(key);
    if (at == child->end() || *at != value) {
      return false;
    }
  }
  return true;
}

void hoist(const std::vector<Json*>& children, Json& parent, const Sticky& sticky) {
  if (children.empty()) {
    return;
  }
  Json shared = Json::object();
  for (const auto& [key, value] : children.front()->get_ref<const Json::object_t&>()) {
    if (!value.is_string() || sticky.contains(key)) {
      continue;
    }
    const auto above = parent.find(key);
    if ((above == parent.end() || *above == value) && shared_by_all(children, key, value)) {
      shared[key] = value;
    }
  }
  for (const auto& [key, value] : shared.get_ref<const Json::object_t&>()) {
    for (Json* child : children) {
      child->erase(key);
    }
    parent[key] = value;
  }
}

/// Keys that MAAS reads on the product only.
const Sticky& product_tags() {
  static const Sticky keys = {"arch",
                              "arches",
                              "bootloader-type",
                              "gadget_title",
                              "kflavor",
                              "krel",
                              "label",
                              "os",
                              "os_title",
                              "release",
                              "release_codename",
                              "release_title",
                              "subarch",
                              "subarches",
                              "support_eol",
                              "support_esm_eol",
                              "version"};
  return keys;
}

/// A list, an object or null is no tag: items look past it to the level above.
bool hides_a_tag(const Json& node, const std::string& key) {
  const auto found = node.find(key);
  return found != node.end() && (found->is_structured() || found->is_null());
}

/// The newest version's own value of a key goes to the product, and the product's to the versions
/// that took it from there. Where the product has none, only if all versions have one: the others
/// would inherit what they did not have.
void settle(Json& product, Json& versions, const std::string& key) {
  if (hides_a_tag(product, key) ||
      std::any_of(versions.begin(), versions.end(),
                  [&](const Json& version) { return hides_a_tag(version, key); })) {
    return;
  }
  const auto& newest = versions.get_ref<const Json::object_t&>().rbegin()->second;
  if (!newest.contains(key)) {
    return;
  }
  const Json value = newest.at(key);
  const bool everywhere = std::all_of(versions.begin(), versions.end(),
                                      [&](const Json& version) { return version.contains(key); });
  if (!everywhere && !product.contains(key)) {
    return;
  }
  for (auto& version : versions) {
    if (!version.contains(key)) {
      version[key] = product.at(key);
    } else if (version.at(key) == value) {
      version.erase(key);
    }
  }
  product[key] = value;
}

}  // namespace

const Sticky& default_sticky() {
  static const Sticky keys = {"di_version",  "ftype",       "kpackage",   "md5",
                              "path",        "sha256",      "sha512",     "size",
                              "src_package", "src_release", "src_version"};
  return keys;
}

void condense(Json& tree, const Sticky& sticky, CondenseTop top) {
  for (Json* product : children_of(tree, "products")) {
    const auto versions = children_of(*product, "versions");
    for (Json* version : versions) {
      hoist(children_of(*version, "items"), *version, sticky);
    }
    hoist(versions, *product, sticky);
  }
  if (top == CondenseTop::products) {
    hoist(children_of(tree, "products"), tree, sticky);
  }
}

void settle_product_tags(Json& tree) {
  for (Json* product : children_of(tree, "products")) {
    const auto versions = product->find("versions");
    if (versions == product->end() || !versions->is_object() || versions->empty()) {
      continue;
    }
    for (const auto& key : product_tags()) {
      settle(*product, *versions, key);
    }
  }
}

void ready_to_publish(ProductTree& tree, const Sticky& sticky) {
  condense(tree.json(), sticky);
  settle_product_tags(tree.json());
}

}  // namespace sstream

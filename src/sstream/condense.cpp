#include "sstream/condense.h"

#include <map>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

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

std::optional<std::string> text_at(const Json& node, const std::string& key) {
  const auto at = node.find(key);
  if (at == node.end()) {
    return std::nullopt;
  }
  return at->is_string() ? at->get<std::string>() : at->dump();
}

using Values = std::map<std::string, std::string>;  ///< value -> a version that has it

void collect_items(const Json& version, const std::string& name, const std::string& key,
                   const std::optional<std::string>& inherited, Values& values) {
  bool any = false;
  if (const auto items = version.find("items"); items != version.end()) {
    for (const auto& item : *items) {
      if (const auto own = text_at(item, key)) {
        values.try_emplace("'" + *own + "'", name);
        any = true;
      }
    }
  }
  if (!any) {
    values.try_emplace(inherited ? "'" + *inherited + "'" : "absent", name);
  }
}

Values values_of(const Json& product, const std::string& key) {
  Values values;
  const auto own = text_at(product, key);
  if (const auto versions = product.find("versions"); versions != product.end()) {
    for (const auto& [name, version] : versions->get_ref<const Json::object_t&>()) {
      const auto at_version = text_at(version, key);
      collect_items(version, name, key, at_version ? at_version : own, values);
    }
  }
  return values;
}

}  // namespace

const Sticky& default_sticky() {
  static const Sticky keys = {"di_version",  "ftype",       "kpackage",   "md5",
                              "path",        "sha256",      "sha512",     "size",
                              "src_package", "src_release", "src_version"};
  return keys;
}

const Sticky& product_tags() {
  static const Sticky keys = {
      "arch",    "arches",  "bootloader-type",  "kflavor",       "krel",      "label",  "os",
      "release", "subarch", "release_codename", "release_title", "subarches", "version"};
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

void require_product_tags(const Json& tree, const Sticky& tags) {
  const auto products = tree.find("products");
  if (products == tree.end()) {
    return;
  }
  for (const auto& [name, product] : products->get_ref<const Json::object_t&>()) {
    for (const auto& key : tags) {
      const auto values = values_of(product, key);
      if (values.size() < 2) {
        continue;
      }
      std::vector<std::string> said;
      for (const auto& [value, version] : values) {
        said.push_back(base::cat(value, " in ", version));
      }
      throw base::Error(base::Errc::refused,
                        base::cat(name, ": versions differ in ", key, " (", base::join(said, ", "),
                                  "), which consumers read once per product"));
    }
  }
}

}  // namespace sstream

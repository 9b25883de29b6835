#include "sstream/format/product_tree.h"

#include <array>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/format/aliases.h"
#include "sstream/format/shape.h"

namespace sstream {

namespace {

void require_object(const Json& node, const std::string& name,
                    const std::vector<std::string_view>& pointer) {
  if (!node.is_object()) {
    refuse_at(name, pointer, base::cat("is of type ", io::type_name(node), ", must be object"));
  }
}

void require_name(const std::string& key, const std::string& name,
                  const std::vector<std::string_view>& pointer) {
  if (const char* reason = bad_name_reason(key); reason != nullptr) {
    refuse_at(name, pointer, reason);
  }
}

/// Absent or an object.
const Json* child(const Json& node, const char* key) {
  const auto at = node.find(key);
  return at == node.end() ? nullptr : &*at;
}

const Json* child(const Json* node, const char* level, const std::string& key) {
  const Json* children = node == nullptr ? nullptr : child(*node, level);
  return children == nullptr ? nullptr : child(*children, key.c_str());
}

Json& made(Json& node, const char* key) {
  Json& value = node[key];
  if (value.is_null()) {
    value = Json::object();
  }
  return value;
}

template <typename Gone>
void erase_members(Json& object, const Gone& gone) {
  for (auto at = object.begin(); at != object.end();) {
    at = gone(at) ? object.erase(at) : std::next(at);
  }
}

bool is_empty_node(const Json& node) {
  return node.empty() || (node.is_string() && node.get_ref<const std::string&>().empty());
}

bool has_children(const Json& node, const char* level) {
  const Json* children = child(node, level);
  return children != nullptr && !children->empty();
}

}  // namespace

Item::Item(const Pedigree& pedigree, const Json& top, const Json& product, const Json& version,
           const Json& item)
    : pedigree_(&pedigree), top_(&top), product_(&product), version_(&version), item_(&item) {}

namespace {

/// The three names, which no tag can replace; nullptr for another.
const std::string* pedigree_name(const Pedigree& pedigree, std::string_view name) {
  if (name == "product_name") {
    return &pedigree.product;
  }
  if (name == "version_name") {
    return &pedigree.version;
  }
  return name == "item_name" ? &pedigree.item : nullptr;
}

}  // namespace

std::optional<std::string> Item::tag(std::string_view name) const {
  if (const auto* own = pedigree_name(*pedigree_, name); own != nullptr) {
    return *own;
  }
  const std::string key(name);
  for (const Json* level : {item_, version_, product_, top_}) {
    if (const auto at = level->find(key); at != level->end()) {
      if (auto text = scalar_text(*at)) {
        return text;
      }
    }
  }
  return std::nullopt;
}

const Json* Item::find(std::string_view name) const {
  const std::string key(name);
  for (const Json* level : {item_, version_, product_, top_}) {
    if (const auto at = level->find(key); at != level->end()) {
      return &*at;
    }
  }
  return nullptr;
}

Tags Item::tags() const {
  Tags tags;
  for (const Json* level : {top_, product_, version_, item_}) {
    for (const auto& [key, value] : level->get_ref<const Json::object_t&>()) {
      if (auto text = scalar_text(value)) {
        tags.insert_or_assign(key, std::move(*text));
      }
    }
  }
  tags.insert_or_assign("product_name", pedigree_->product);
  tags.insert_or_assign("version_name", pedigree_->version);
  tags.insert_or_assign("item_name", pedigree_->item);
  return tags;
}

std::optional<std::string> Item::path() const {
  const Json* value = find("path");
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto refuse_path = [&](const std::string& reason) {
    throw base::Error(base::Errc::untrusted, base::cat(pedigree_->text(), ": path ", reason));
  };
  if (!value->is_string()) {
    refuse_path(base::cat("is of type ", io::type_name(*value), ", must be string"));
  }
  const auto& path = value->get_ref<const std::string&>();
  if (base::unsafe_path_reason(path) != nullptr) {  // the context costs more than the check
    base::with_context(pedigree_->text(), [&] { base::require_safe_path(path); });
  }
  if (path.starts_with("streams/") || path.starts_with(".data/")) {
    refuse_path(base::cat("'", path, "' is kept for metadata and private files"));
  }
  return path;
}

void require_products_head(const Json& top, const std::string& name) {
  require_format(top, "products:1.0", name);
  if (const auto id = top.find("content_id"); id == top.end() || !id->is_string()) {
    refuse_at(name, {"content_id"}, "must be a string");
  } else {
    require_name(id->get_ref<const std::string&>(), name, {"content_id"});
  }
  require_strings_at(top, {"datatype", "updated"}, name);
}

void require_version(const Json& version, const Pedigree& pedigree, const std::string& name) {
  const auto& [product, key, unused] = pedigree;
  const std::vector<std::string_view> pointer = {"products", product, "versions", key};
  require_object(version, name, pointer);
  require_name(key, name, pointer);
  const Json* items = child(version, "items");
  if (items == nullptr) {
    return;
  }
  require_object(*items, name, {"products", product, "versions", key, "items"});
  for (const auto& [item, node] : items->get_ref<const Json::object_t&>()) {
    const std::vector<std::string_view> at = {"products", product, "versions", key, "items", item};
    require_object(node, name, at);
    require_name(item, name, at);
  }
}

namespace {

void require_product(const Json& node, const std::string& product, const std::string& name) {
  require_object(node, name, {"products", product});
  require_name(product, name, {"products", product});
  const Json* versions = child(node, "versions");
  if (versions == nullptr) {
    return;
  }
  require_object(*versions, name, {"products", product, "versions"});
  for (const auto& [version, below] : versions->get_ref<const Json::object_t&>()) {
    require_version(below, {product, version}, name);
  }
}

}  // namespace

ProductTree::ProductTree(Json json, std::string name, Aliases aliases)
    : json_(std::move(json)), name_(std::move(name)) {
  if (!json_.is_object()) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name_, ": is of type ", io::type_name(json_), ", must be object"));
  }
  require_products_head(json_, name_);
  if (aliases == Aliases::expanded && json_.contains("_aliases")) {
    base::with_context(name_, [&] { expand_aliases(json_); });
    require_products_head(json_, name_);
  }
  const Json* products = child(json_, "products");
  if (products == nullptr) {
    refuse_at(name_, {"products"}, "is missing");
  }
  require_object(*products, name_, {"products"});
  for (const auto& [product, node] : products->get_ref<const Json::object_t&>()) {
    require_product(node, product, name_);
  }
}

ProductTree ProductTree::make(const std::string& content_id, const std::string& datatype) {
  return {Json{{"content_id", content_id},
               {"datatype", datatype},
               {"format", "products:1.0"},
               {"products", Json::object()}},
          content_id};
}

ProductTree ProductTree::parse(std::string_view text, const std::string& name) {
  return {io::parse_json(text, name), name};
}

std::string ProductTree::content_id() const {
  return string_or_empty(json_, "content_id");
}

std::string ProductTree::datatype() const {
  return string_or_empty(json_, "datatype");
}

std::string ProductTree::updated() const {
  return string_or_empty(json_, "updated");
}

void ProductTree::set_updated(const std::string& stamp) {
  json_["updated"] = stamp;
}

const Json* ProductTree::product(const std::string& product) const {
  return child(&json_, "products", product);
}

const Json* ProductTree::version(const std::string& product, const std::string& version) const {
  return child(this->product(product), "versions", version);
}

const Json* ProductTree::item(const Pedigree& pedigree) const {
  return child(version(pedigree.product, pedigree.version), "items", pedigree.item);
}

std::optional<Item> ProductTree::view(const Pedigree& pedigree) const {
  const Json* node = item(pedigree);
  if (node == nullptr) {
    return std::nullopt;
  }
  return Item(pedigree, json_, *product(pedigree.product),
              *version(pedigree.product, pedigree.version), *node);
}

std::vector<std::string> ProductTree::versions(const std::string& product) const {
  std::vector<std::string> names;
  const Json* node = this->product(product);
  if (const Json* versions = node == nullptr ? nullptr : child(*node, "versions")) {
    const auto& members = versions->get_ref<const Json::object_t&>();
    for (auto at = members.rbegin(); at != members.rend(); ++at) {
      names.push_back(at->first);
    }
  }
  return names;
}

void ProductTree::set(const Pedigree& pedigree, Json node) {
  if (pedigree.product.empty() || (pedigree.version.empty() && !pedigree.item.empty())) {
    throw base::Error(base::Errc::internal,
                      "set: a pedigree needs a product, and a version before an item");
  }
  Json* at = &made(json_, "products")[pedigree.product];
  if (!pedigree.version.empty()) {
    at = &made(*at, "versions")[pedigree.version];
  }
  if (!pedigree.item.empty()) {
    at = &made(*at, "items")[pedigree.item];
  }
  *at = std::move(node);
}

void ProductTree::remove(const Pedigree& pedigree) {
  Json* parent = &json_;
  const std::array<std::pair<const char*, const std::string*>, 3> steps = {
      {{"products", &pedigree.product},
       {"versions", &pedigree.version},
       {"items", &pedigree.item}}};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto level = parent->find(steps.at(i).first);
    if (level == parent->end()) {
      return;
    }
    const auto node = level->find(*steps.at(i).second);
    if (node == level->end()) {
      return;
    }
    if (i + 1 == steps.size() || steps.at(i + 1).second->empty()) {
      level->erase(node);
      return;
    }
    parent = &*node;
  }
}

std::vector<std::string> ProductTree::prune() {
  std::vector<std::string> gone;
  erase_members(products(), [&](const auto& product) {
    if (has_children(*product, "versions")) {
      erase_members(product->at("versions"), [](const auto& version) {
        if (has_children(*version, "items")) {
          erase_members(version->at("items"),
                        [](const auto& item) { return is_empty_node(*item); });
        }
        return !has_children(*version, "items");
      });
    }
    const bool empty = !has_children(*product, "versions");
    if (empty) {
      gone.push_back(product.key());
    }
    return empty;
  });
  return gone;
}

void ProductTree::for_each_item(const std::function<void(const Item& item)>& visit) const {
  for (const auto& [product, node] : products().get_ref<const Json::object_t&>()) {
    const Json* versions = child(node, "versions");
    if (versions == nullptr) {
      continue;
    }
    for (const auto& entry : versions->get_ref<const Json::object_t&>()) {
      for_each_item_of(product, entry.first, visit);
    }
  }
}

void ProductTree::for_each_item_of(const std::string& product, const std::string& version,
                                   const std::function<void(const Item& item)>& visit) const {
  const Json* node = this->version(product, version);
  const Json* items = node == nullptr ? nullptr : child(*node, "items");
  if (items == nullptr) {
    return;
  }
  const Json& above = *this->product(product);
  Pedigree pedigree{product, version};
  for (const auto& [name, item] : items->get_ref<const Json::object_t&>()) {
    pedigree.item = name;
    visit(Item(pedigree, json_, above, *node, item));
  }
}

std::size_t ProductTree::version_count() const {
  std::size_t count = 0;
  for (const auto& [product, node] : products().get_ref<const Json::object_t&>()) {
    if (const Json* versions = child(node, "versions")) {
      count += versions->size();
    }
  }
  return count;
}

void require_one_content_per_path(const ProductTree& tree) {
  static const std::array<const char*, 4> promises = {"size", "md5", "sha256", "sha512"};

  struct Known {
    std::string pedigree;
    std::array<std::optional<std::string>, 4> values;
  };

  std::map<std::string, Known> known;
  tree.for_each_item([&](const Item& item) {
    const auto path = item.path();
    if (!path) {
      return;
    }
    Known& first = known[*path];
    for (std::size_t i = 0; i < promises.size(); ++i) {
      auto value = item.tag(promises.at(i));
      auto& before = first.values.at(i);
      if (value && before && base::to_lower(*value) != base::to_lower(*before)) {
        throw base::Error(
            base::Errc::untrusted,
            base::cat(tree.name(), ": ", *path, ": ", promises.at(i), " is ", *before, " in ",
                      first.pedigree, " and ", *value, " in ", item.pedigree().text()));
      }
      if (value && !before) {
        before = std::move(value);
      }
    }
    if (first.pedigree.empty()) {
      first.pedigree = item.pedigree().text();
    }
  });
}

Json scalars_of(const Json& node) {
  Json scalars = Json::object();
  for (const auto& [key, value] : node.get_ref<const Json::object_t&>()) {
    if (scalar_text(value)) {
      scalars[key] = value;
    }
  }
  return scalars;
}

std::optional<std::string> scalar_text(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return value.get<std::string>();
    case Json::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: {
      auto text = io::to_text(value);
      text.pop_back();  // the final newline
      return text;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace sstream

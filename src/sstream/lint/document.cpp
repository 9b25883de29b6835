#include "sstream/lint/document.h"

#include <algorithm>

#include "base/strings.h"

namespace sstream::lint {

const std::string* text_of(const Json* value) {
  return value != nullptr ? value->get_ptr<const std::string*>() : nullptr;
}

const Json* member(const Json& node, const char* key) {
  const auto at = node.is_object() ? node.find(key) : node.end();
  return at != node.end() ? &*at : nullptr;
}

void Tags::add(std::string_view key, Json&& value) {
  if (size_ == tags_.size()) {
    tags_.emplace_back();
  }
  auto& tag = tags_[size_++];
  tag.first = key;
  tag.second = std::move(value);
}

const Json* Tags::find(std::string_view key) const {
  const auto* at = std::find_if(begin(), end(), [&](const auto& tag) { return tag.first == key; });
  return at != end() ? &at->second : nullptr;
}

const Json* IndexDocument::entries() const {
  const auto* entries = member(json, "index");
  return entries != nullptr && entries->is_object() ? entries : nullptr;
}

bool Entry::is_products() const {
  const auto* format = text("format");
  return format == nullptr || *format == "products:1.0";
}

void for_each_entry(const IndexDocument& index, const std::function<void(const Entry&)>& visit) {
  if (const auto* entries = index.entries()) {
    for (const auto& [name, json] : entries->get_ref<const Json::object_t&>()) {
      if (json.is_object()) {
        visit({&index, name, &json});
      }
    }
  }
}

Place Product::place(std::string_view key) const {
  return tags.find(key) != nullptr ? place().below(key) : place();
}

const Item* Version::item(std::string_view wanted) const {
  const auto* at =
      std::find_if(begin(), end(), [&](const Item& one) { return one.name == wanted; });
  return at != end() ? at : nullptr;
}

const Item* Version::begin() const {
  return items.data();
}

const Item* Version::end() const {
  return items.data() + item_count;
}

Place Version::place() const {
  return product->place().below("versions").below(name);
}

const Json* Item::inherited(std::string_view key) const {
  const auto& product = *version->product;
  for (const auto* level : {&tags, &version->tags, &product.tags, &product.file->tags}) {
    if (const auto* value = level->find(key)) {
      return value;
    }
  }
  return nullptr;
}

Place Item::place() const {
  return version->place().below("items").below(name);
}

Place Item::place(std::string_view key) const {
  return tags.find(key) != nullptr ? place().below(key) : place();
}

std::string wrong_type(const Json& value, std::string_view wanted) {
  return base::cat("is of type ", io::type_name(value), ", must be ", wanted);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t limit = 120;
  return base::cat("'", base::escape_control(text.substr(0, limit)),
                   text.size() > limit ? "..." : "", "'");
}

}  // namespace sstream::lint

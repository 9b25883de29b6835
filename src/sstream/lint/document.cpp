#include "sstream/lint/document.h"

#include "base/strings.h"

namespace sstream::lint {

void Tags::add(std::string_view key, Json&& value) {
  if (size_ == tags_.size()) {
    tags_.emplace_back();
  }
  auto& tag = tags_[size_++];
  tag.first = key;
  tag.second = std::move(value);
}

const Json* Tags::find(std::string_view key) const {
  for (const auto& [name, value] : *this) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

const std::string* Tags::text(std::string_view key) const {
  const auto* value = find(key);
  return value != nullptr && value->is_string() ? &value->get_ref<const std::string&>() : nullptr;
}

const Json* IndexDocument::entries() const {
  if (!json.is_object()) {
    return nullptr;
  }
  const auto at = json.find("index");
  return at != json.end() && at->is_object() ? &*at : nullptr;
}

Place Product::place(std::string_view key) const {
  return tags.find(key) != nullptr ? place().below(key) : place();
}

const Item* Version::item(std::string_view wanted) const {
  for (const auto& one : *this) {
    if (one.name == wanted) {
      return &one;
    }
  }
  return nullptr;
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

const std::string* Item::inherited_text(std::string_view key) const {
  const auto* value = inherited(key);
  return value != nullptr && value->is_string() ? &value->get_ref<const std::string&>() : nullptr;
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

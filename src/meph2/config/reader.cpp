#include "meph2/config/reader.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/product_tree.h"

namespace meph2 {

namespace {

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// A value's kind in the words of YAML.
const char* kind_of(const io::Json& value) {
  switch (value.type()) {
    case io::Json::value_t::null:
      return "nothing";
    case io::Json::value_t::object:
      return "a mapping";
    case io::Json::value_t::array:
      return "a list";
    case io::Json::value_t::string:
      return "a string";
    case io::Json::value_t::boolean:
      return "True or False";
    default:
      return "a number";
  }
}

}  // namespace

ConfigValue::ConfigValue(const io::Yaml& yaml, const io::Json& json, std::string key,
                         std::string pointer)
    : yaml_(&yaml), json_(&json), key_(std::move(key)), pointer_(std::move(pointer)) {}

void ConfigValue::reject(const std::string& expected) const {
  throw base::Error(base::Errc::usage,
                    base::cat(where(), ": ", key_.empty() ? "" : key_ + ": ", expected));
}

void ConfigValue::require_mapping() const {
  if (!json_->is_object()) {
    reject(base::cat("must be a mapping, not ", kind_of(*json_)));
  }
}

ConfigValue ConfigValue::member(const std::string& key, const io::Json& json) const {
  return {*yaml_, json, key_.empty() ? key : base::cat(key_, ".", key),
          io::pointer_to(pointer_, key)};
}

void ConfigValue::allow_keys(const std::vector<std::string>& known) const {
  for (const auto& key : keys()) {
    if (std::ranges::find(known, key) != known.end()) {
      continue;
    }
    const auto near = base::nearest_word(key, known);
    member(key, json_->at(key))
        .reject(near ? base::cat("unknown key; did you mean '", *near, "'?")
                     : base::cat("unknown key; expected one of ", base::join(known, ", ")));
  }
}

std::vector<std::string> ConfigValue::keys() const {
  require_mapping();
  std::vector<std::string> keys;
  for (const auto& [key, value] : json_->items()) {
    keys.push_back(key);
  }
  return keys;
}

std::optional<ConfigValue> ConfigValue::find(const std::string& key) const {
  require_mapping();
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() ? std::nullopt
                                                   : std::optional(member(key, *found));
}

ConfigValue ConfigValue::require(const std::string& key) const {
  auto value = find(key);
  if (!value) {
    reject(base::cat("the key '", key, "' is missing"));
  }
  return *value;
}

std::vector<ConfigValue> ConfigValue::elements() const {
  if (!json_->is_array()) {
    reject(base::cat("must be a list, not ", kind_of(*json_)));
  }
  std::vector<ConfigValue> values;
  for (std::size_t i = 0; i < json_->size(); ++i) {
    values.push_back(ConfigValue(*yaml_, (*json_)[i], base::cat(key_, "[", i, "]"),
                                 io::pointer_to(pointer_, i)));
  }
  return values;
}

std::string ConfigValue::string() const {
  if (json_->is_number() || json_->is_boolean()) {
    reject("must be a string; quote it");
  }
  if (!json_->is_string()) {
    reject(base::cat("must be a string, not ", kind_of(*json_)));
  }
  auto text = json_->get<std::string>();
  if (text.empty()) {
    reject("must not be empty");
  }
  return text;
}

std::string ConfigValue::text() const {
  return json_->is_number() ? sstream::scalar_text(*json_).value_or("") : string();
}

bool ConfigValue::boolean() const {
  if (!json_->is_boolean()) {
    reject(base::cat("must be True or False, not ", kind_of(*json_)));
  }
  return json_->get<bool>();
}

std::vector<std::string> ConfigValue::strings() const {
  std::vector<std::string> texts;
  for (const auto& element : elements()) {
    texts.push_back(element.string());
  }
  return texts;
}

std::vector<std::string> ConfigValue::string_or_strings() const {
  return json_->is_string() ? std::vector<std::string>{string()} : strings();
}

std::string ConfigValue::comma_list() const {
  const auto words = json_->is_array() ? strings() : base::split_list(string(), ',');
  for (const auto& word : words) {
    if (word.find_first_of(" \t\n") != std::string::npos || word.starts_with("-")) {
      reject(base::cat("'", word, "' is not a package name"));
    }
  }
  return base::join(words, ",");
}

std::string ConfigValue::word(const std::string& others, std::size_t max_length) const {
  auto text = string();
  const auto fits = [&](char c) { return alphanumeric(c) || others.find(c) != std::string::npos; };
  if (!std::ranges::all_of(text, fits) || !alphanumeric(text[0])) {
    reject(base::cat("'", text, "': must be letters, digits and any of ", others,
                     ", beginning with a letter or digit"));
  }
  if (text.size() > max_length) {
    reject(base::cat("'", text, "': must be at most ", max_length, " characters long"));
  }
  return text;
}

}  // namespace meph2

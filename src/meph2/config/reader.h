#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/yaml/yaml.h"

namespace meph2 {

/// A value of a YAML file on its way to a typed one: knows its key and its place, and says both in
/// errors.
class ConfigValue {
 public:
  explicit ConfigValue(const io::Yaml& yaml) : ConfigValue(yaml, yaml.value, "", "") {}

  /// Throws Error(usage) "FILE:LINE:COLUMN: KEY: EXPECTED".
  [[noreturn]] void reject(const std::string& expected) const;

  /// "FILE:LINE:COLUMN".
  std::string where() const { return yaml_->position(pointer_); }

  const io::Json& json() const { return *json_; }

  bool is_string() const { return json_->is_string(); }

  bool is_object() const { return json_->is_object(); }

  bool is_null() const { return json_->is_null(); }

  bool is_number() const { return json_->is_number(); }

  /// Expects a mapping whose keys are all in `known`; names the nearest one for a slip of the
  /// finger.
  void allow_keys(const std::vector<std::string>& known) const;
  std::vector<std::string> keys() const;

  /// nullopt when the key is absent or null.
  std::optional<ConfigValue> find(const std::string& key) const;
  ConfigValue require(const std::string& key) const;

  /// Expects a list.
  std::vector<ConfigValue> elements() const;

  /// Expects a non-empty string.
  std::string string() const;
  /// A string, or a number as Python prints it (7.0, 1808): of keys that people do not quote.
  std::string text() const;
  bool boolean() const;
  /// Expects a list of non-empty strings.
  std::vector<std::string> strings() const;
  /// Expects a string of comma separated words, or a list of words; gives the former.
  std::string comma_list() const;

  /// Expects a string of letters, digits and any of `others`, that begins with a letter or digit.
  std::string word(const std::string& others, std::size_t max_length) const;

 private:
  ConfigValue(const io::Yaml& yaml, const io::Json& json, std::string key, std::string pointer);

  const io::Yaml* yaml_;
  const io::Json* json_;
  std::string key_;      ///< "releases[3].version"
  std::string pointer_;  ///< "/releases/3/version"
};

}  // namespace meph2

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/yaml/yaml.h"

namespace meph2 {

// Limits of MAAS's data base columns.
inline constexpr std::size_t max_release = 20;
inline constexpr std::size_t max_name = 32;
inline constexpr std::size_t max_package = 255;
inline const std::string name_characters = "._+-";

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

  /// Expects a mapping whose keys are all in `known`; names the nearest one for a slip of the
  /// finger.
  void allow_keys(const std::vector<std::string>& known) const;
  std::vector<std::string> keys() const;

  /// nullopt when the key is absent or null.
  std::optional<ConfigValue> find(const std::string& key) const;
  ConfigValue require(const std::string& key) const;

  /// Sets `target` to what `how` (a function of a value, or a member of this class) makes of the
  /// value of a key, where there is one.
  template <typename Target, typename How>
  void read(const std::string& key, Target& target, How how) const {
    if (const auto value = find(key)) {
      target = std::invoke(how, *value);
    }
  }

  /// Expects a list.
  std::vector<ConfigValue> elements() const;

  /// Expects a non-empty string.
  std::string string() const;
  /// A string, or a number as Python prints it (7.0, 1808): of keys that people do not quote.
  std::string text() const;
  bool boolean() const;
  /// Expects a list of non-empty strings.
  std::vector<std::string> strings() const;
  /// The same, or one such string.
  std::vector<std::string> string_or_strings() const;
  /// Expects a string of comma separated words, or a list of words; gives the former.
  std::string comma_list() const;

  /// Expects a string of letters, digits and any of `others`, that begins with a letter or digit.
  std::string word(const std::string& others, std::size_t max_length) const;

 private:
  ConfigValue(const io::Yaml& yaml, const io::Json& json, std::string key, std::string pointer);
  void require_mapping() const;
  ConfigValue member(const std::string& key, const io::Json& json) const;

  const io::Yaml* yaml_;
  const io::Json* json_;
  std::string key_;      ///< "releases[3].version"
  std::string pointer_;  ///< "/releases/3/version"
};

}  // namespace meph2

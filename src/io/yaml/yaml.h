#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/json/json.h"

namespace io {

struct YamlNode;

/// A YAML document as JSON values, with the position of each (by JSON pointer).
struct Yaml {
  std::string name;
  Json value;
  std::shared_ptr<const YamlNode> root;  ///< where the positions are; null for an empty document

  /// "NAME:LINE:COLUMN" of the nearest known position at or above `pointer`; NAME alone where there
  /// is none. A value that came by an alias stands where its anchor stands.
  std::string position(const std::string& pointer) const;

  /// "NAME:LINE:COLUMN: /pointer": the same with the pointer itself behind it.
  std::string where(const std::string& pointer) const;

  /// The same of the key, where the value may begin on a later line.
  std::string entry(const std::string& pointer) const;
};

/// A key or an index appended to a JSON pointer, escaped.
std::string pointer_to(const std::string& parent, const std::string& key);
std::string pointer_to(const std::string& parent, std::size_t index);

struct YamlLimits {
  std::uint64_t max_bytes =
      16ULL << 20U;                   ///< of the file, and of all text once aliases are expanded
  std::size_t max_nodes = 1'000'000;  ///< once aliases are expanded
  unsigned max_depth = 64;
};

/// Reads one YAML document as PyYAML's safe_load does, because the established configurations were
/// written for it: aliases and `<<` merges expanded (bounded, against alias bombs), yes/no/on/off
/// as booleans, octals, sexagesimals and floats as numbers. An unquoted 24.10 is therefore the
/// float 24.1: quote versions. What JSON cannot hold stays text: dates, and keys of other types.
/// Empty input is null. Duplicate keys, tabs in the indentation, unknown tags, infinities, a second
/// document and syntax errors are Error(usage) "NAME:LINE:COLUMN: ...".
Yaml parse_yaml(std::string_view text, const std::string& name, const YamlLimits& limits = {});
Yaml read_yaml(const std::string& path, const YamlLimits& limits = {});

/// The layout of PyYAML's safe_dump: block style, sorted keys, sequences not indented, a text that
/// would read as another type in single quotes. Two differences, both read back the same: long
/// lines are not folded, and texts with control characters or beyond ASCII are written as JSON's.
std::string to_yaml(const Json& value);

}  // namespace io

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "io/json.h"

namespace io {

/// Where a value of a YAML file stands, 1-based.
struct YamlMark {
  unsigned line = 0;
  unsigned column = 0;
};

/// A YAML document as JSON values, with the position of each (by JSON pointer).
struct Yaml {
  std::string name;
  Json value;
  std::map<std::string, YamlMark> marks;
  /// "NAME:LINE:COLUMN: /pointer": the nearest known position at or above `pointer`.
  std::string where(const std::string& pointer) const;
};

/// Reads YAML 1.1 as PyYAML's safe_load does, because the established configurations were written
/// for it: aliases and `<<` merges expanded (bounded, against alias bombs), yes/no/on/off as
/// booleans, sexagesimals and floats as numbers. A scalar's exact source text is kept beside floats
/// nowhere: quote versions. Duplicate keys, tabs and syntax errors are Error(usage)
/// "NAME:LINE:COLUMN: ...".
Yaml parse_yaml(std::string_view text, const std::string& name);
Yaml read_yaml(const std::string& path);

}  // namespace io

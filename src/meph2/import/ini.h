#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meph2::import {

/// A section of an INI file.
struct IniSection {
  std::string name;
  std::map<std::string, std::string> values;
};

/// Sections in their order: [NAME], KEY=VALUE (a KEY may have a [part]), comments with # or ; at
/// the beginning of a line, further lines of a value with a blank there. Error(untrusted)
/// "NAME:LINE: reason" for anything else and for a key that comes twice.
std::vector<IniSection> parse_ini(std::string_view text, const std::string& name);

}  // namespace meph2::import

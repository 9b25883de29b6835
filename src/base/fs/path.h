#pragma once

#include <string>
#include <string_view>

namespace base {

/// The last component of a path.
inline std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// The directory that a path is in, to be opened: "." where the path has no slash, "/" at the top.
inline std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : std::string(path.substr(0, slash));
}

}  // namespace base

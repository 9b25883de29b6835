#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace io {

/// What a file system says of one of its nodes.
struct TreeNode {
  std::string path;        ///< from the root, "etc/passwd"; the root itself is ""
  std::uint32_t mode = 0;  ///< type and permissions, as stat(2) has them
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mtime = 0;   ///< seconds since 1970
  std::uint32_t number = 0;  ///< paths with the same one are hard links of each other
  std::uint64_t size = 0;    ///< of a regular file
  std::uint64_t holes = 0;   ///< bytes of it that need no room, at least
  std::string target;        ///< of a symlink
  std::uint32_t major = 0;   ///< of a device
  std::uint32_t minor = 0;
  /// Extended attributes by their full names ("security.capability").
  std::vector<std::pair<std::string, std::string>> attributes;
};

}  // namespace io

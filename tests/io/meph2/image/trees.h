#pragma once

#include <string>

namespace image_test {

/// Makes the directory `root` with all that a root file system may hold. Needs root.
void make_full_tree(const std::string& root);

/// A line for everything below `root`: type, mode, owner, date, hard links, size, content, symlink,
/// device, extended attributes.
std::string describe_tree(const std::string& root);

std::string sha256(const std::string& path);

}  // namespace image_test

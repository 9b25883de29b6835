#pragma once

#include <string>
#include <string_view>

#include "base/fs/file.h"
#include "base/fs/path.h"

namespace base {

/// Why `path` may not name a file below a directory, or nullptr if it may: relative, no empty, "."
/// or
/// ".." component, no control character, no backslash, valid UTF-8, components of at most 255
/// bytes, 4096 in all. (Stricter than the established tools, which accept "..", "a/.." and "a//b";
/// none of those is ever right.)
const char* unsafe_path_reason(std::string_view path);

/// Throws Error(untrusted) "PATH: reason".
void require_safe_path(std::string_view path);

/// Opens a path that came from outside below `root`: checked first, then openat2 with
/// RESOLVE_BENEATH, NO_SYMLINKS and NO_MAGICLINKS, so that no symlink, whoever made it, leads out.
/// Never follows a FIFO into a hang (O_NONBLOCK is set and cleared again after the type is known).
File open_beneath(int root, const std::string& path, int flags, mode_t mode = 0644);

/// The same, but an empty File where there is nothing of that name: for looking whether there is.
File find_beneath(int root, const std::string& path, int flags);

/// The directory that holds `path`, below `root`, made if `create`.
File open_parent_beneath(int root, const std::string& path, bool create);

}  // namespace base

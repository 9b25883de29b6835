#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"

namespace support {

/// Path -> mtime (ns) and content of every file below a directory, locks aside; of what is no file,
/// that it is there. Empty where the directory is not. Two of them are equal when nobody wrote.
inline std::map<std::string, std::pair<std::int64_t, std::string>> witness(
    const std::string& path) {
  std::map<std::string, std::pair<std::int64_t, std::string>> files;
  if (!base::exists_at(AT_FDCWD, path)) {
    return files;
  }
  const auto root = base::open_directory(path);
  base::walk_tree(root.fd(), [&](const std::string& name, const struct stat& status) {
    if (name.ends_with(".lock")) {
      return true;
    }
    if (S_ISREG(status.st_mode)) {
      files[name] = {status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                     base::read_file(path + "/" + name)};
    } else {
      files[name] = {0, ""};
    }
    return true;
  });
  return files;
}

}  // namespace support

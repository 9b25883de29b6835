#pragma once

#include <string>

#include "base/fs/file.h"

namespace base {

/// A private directory (0700) that is removed with all it holds. Removal is best effort: a
/// destructor cannot report.
class TempDir {
 public:
  /// Made below `parent`; empty means $TMPDIR, else /tmp. `prefix` starts its name.
  explicit TempDir(const std::string& prefix, std::string parent = {});

  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }

  TempDir& operator=(TempDir&&) = delete;
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }

  /// Gives it another path, on the same file system, which must not exist.
  void rename(const std::string& path);

 private:
  std::string path_;
};

/// A file for reading and writing that has no name and goes with its descriptor; in $TMPDIR, else
/// /tmp. `name` is what messages call it.
File unnamed_file(const std::string& name);

}  // namespace base

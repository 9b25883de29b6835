#pragma once

#include <string>
#include <string_view>

#include "base/fs/file.h"

namespace base {

/// A file that appears whole under its name, or not at all: written beside its target, fsynced, its
/// mode set, renamed over it, and the directory fsynced. Without commit() it vanishes.
class AtomicFile {
 public:
  /// `name` is a plain file name in the directory `dirfd`, which must outlive this object.
  AtomicFile(int dirfd, std::string name, mode_t mode = 0644);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  File& file() { return file_; }

  void commit();

 private:
  int dirfd_;
  std::string name_;
  std::string temporary_;
  mode_t mode_;
  File file_;
};

/// Whether it is the name of what an AtomicFile leaves when its process is killed.
bool is_temporary_name(std::string_view name);

/// The whole of it for content that is in memory.
void replace_file(int dirfd, const std::string& name, std::string_view content, mode_t mode = 0644);
void replace_file(const std::string& path, std::string_view content, mode_t mode = 0644);

}  // namespace base

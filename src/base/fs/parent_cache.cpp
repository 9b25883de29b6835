#include "base/fs/parent_cache.h"

#include "base/error.h"
#include "base/fs/beneath.h"

namespace base {

const File& ParentCache::of(int root, const std::string& path) {
  std::pair key(root, parent_of(path));
  if (const auto known = open_.find(key); known != open_.end()) {
    return known->second;
  }
  if (open_.size() == most_open && absent_ == Absent::made) {
    sync();
  } else if (open_.size() == most_open) {
    open_.clear();
  }
  File opened;
  try {
    opened = open_parent_beneath(root, path, absent_ == Absent::made);
  } catch (const Error& error) {
    if (error.code() != Errc::not_found || absent_ == Absent::made) {
      throw;
    }
  }
  return open_.emplace(std::move(key), std::move(opened)).first->second;
}

void ParentCache::sync() {
  for (const auto& [key, directory] : open_) {
    sync_directory(directory.fd(), key.second);
  }
  open_.clear();
}

}  // namespace base

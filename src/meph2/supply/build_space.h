#pragma once

#include <chrono>
#include <string>

#include "base/fs/file_lock.h"
#include "base/fs/temp_dir.h"
#include "sstream/repository/repository.h"

namespace meph2 {

/// A private directory below DIR/.data/.sstream/build, on the file system of the repository, so
/// that what is built there can be moved to its place. It goes with this object; what a killed
/// process left is removed by the next one.
class BuildSpace {
 public:
  /// Makes DIR where it is missing.
  BuildSpace(const std::string& repository, std::chrono::seconds lock_timeout,
             const sstream::Context& context);

  /// Absolute.
  const std::string& path() const { return directory_->path(); }

 private:
  std::optional<base::TempDir> directory_;
  base::FileLock lock_;
};

}  // namespace meph2

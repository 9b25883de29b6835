#pragma once

#include <optional>
#include <string>

#include "meph2/image/sandbox/image_root.h"

namespace meph2::image {

/// Makes the merged tree at `root` below the working directory the root directory: with /proc, a
/// small /dev and a fresh /run; the old root is gone. There is no /sys: nothing that is installed
/// depends on it. For the first thing that SandboxWork::run does.
void enter_root();

/// A file that packages see while they are installed, and that the layer does not get: `content` is
/// bound over `path` of the image, our root directory (made, and removed at the end, where there is
/// none). A link to what a running system has below /run is served there; one that dangles
/// elsewhere is left alone. To be made before any program of the image runs.
class SuppliedFile {
 public:
  SuppliedFile(const ImageRoot& root, std::string path, const std::string& content, mode_t mode);
  SuppliedFile(const SuppliedFile&) = delete;
  SuppliedFile& operator=(const SuppliedFile&) = delete;
  ~SuppliedFile();

 private:
  const ImageRoot& root_;
  std::string path_;
  bool made_ = false;
  base::UniqueFd bound_;
};

}  // namespace meph2::image

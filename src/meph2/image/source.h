#pragma once

#include <string>

#include "meph2/image/options.h"
#include "meph2/image/site.h"
#include "meph2/image/steps/needs.h"

namespace meph2::image {

/// A source brought to the form the build starts from.
struct RootSource {
  std::string squashfs;    ///< absolute path; the source itself if it was one
  bool untouched = false;  ///< `squashfs` is the source, byte for byte
  bool kept = false;       ///< `squashfs` belongs to the store of stages
  Known identity = {};     ///< for the stages that start from it
};

/// Brings any source to a squashfs: checked by content, unpacked from what is around it, converted
/// without an unpacked copy. `conf` is the file of release needs (for the compression of what has
/// to be made). A source that is no squashfs is a stage of its own.
RootSource open_source(const BuildOptions& options, const std::string& conf, Site& site);

/// What the root file system says of itself. Empty fields where it says nothing.
OsRelease os_release_of(const std::string& squashfs);

}  // namespace meph2::image

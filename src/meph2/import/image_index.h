#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "meph2/import/import_config.h"
#include "meph2/import/workshop.h"

namespace meph2::import {

/// An image that an index offers.
struct OfferedImage {
  std::string file;      ///< beside the index
  std::string sha256;    ///< lower-case hex
  std::string revision;  ///< YYMM
};

/// The qcow2 images of an INI index (CentOS: file, format, arch, revision, checksum) for this arch,
/// newest revision first; of one revision the compressed one. `revision`: only that one.
/// Error(untrusted) for an image without a sha256 or with an unsafe name.
std::vector<OfferedImage> read_image_index(std::string_view text, const std::string& name,
                                           const std::string& arch, const std::string& revision);

/// Brings the newest `max` (0: all) images of each entry into a stream, as root-tgz: downloaded and
/// verified, their root file system packed as it is (docs/format.md 4.6). Needs root, to mount it,
/// and qemu-img. Versions that are published are not fetched again, unless the workshop forces
/// them. A dry run reads the index only.
std::vector<NewVersion> import_image_index(const ImportConfig& config, std::size_t max,
                                           Workshop& workshop);

}  // namespace meph2::import

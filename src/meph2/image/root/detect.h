#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fs/file.h"

namespace meph2::image {

/// What a source file is, told by its content.
enum class Content : std::uint8_t {
  root_tar,         ///< a root file system, plain or compressed
  image_tar,        ///< a tar that holds one *.img
  squashfs,         ///< squashfs 4
  file_system,      ///< an ext file system
  disk,             ///< a whole disk with GPT or MBR
  qcow2,            ///< a qcow2 of a file system or disk
  compressed_image  ///< a compressed squashfs, file system or disk: look again after decompression
};

const char* content_name(Content content);

/// Looks at the first bytes, through compression. `name` decides only what bytes cannot: a tar so
/// old that it has no magic. Error(untrusted) "read NAME: ..." for what is none of these.
Content detect(base::File& file, const std::string& name);

/// The values that --format may have.
const std::vector<std::string>& image_formats();

/// Whether a file that is `content` may be called `format` (a value of --format).
bool format_admits(const std::string& format, Content content);

/// Error(untrusted) for a qcow2 that names a backing file or an external data file, is encrypted or
/// of an unknown version: looked at before any tool opens it, because a tool would follow the name.
void require_standalone_qcow2(base::File& file);

}  // namespace meph2::image

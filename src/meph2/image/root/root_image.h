#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/log.h"

namespace meph2::image {

/// The size that root images have where nothing else is said: that of the established tools.
inline constexpr std::uint64_t usual_root_image_size = 1400ULL << 20U;

struct RootImageOptions {
  std::uint64_t size = usual_root_image_size;  ///< bytes; grown where the tree does not fit
  int log = -1;  ///< descriptor that gets what the formatter prints; -1: none
};

/// Makes `output` (which must not exist), an ext4 file system image with the tree of a squashfs:
/// label cloudimg-rootfs, no metadata_csum, what is free is zero. Nothing is mounted, and no right
/// but that of writing the file is needed. The same tree gives the same bytes: UUID and hash seed
/// are made of its content, dates of $SOURCE_DATE_EPOCH (else of the newest node). A tree that does
/// not fit into options.size gets what it needs and 100 MiB; that is said in a warning.
void make_root_image(const std::string& squashfs, const std::string& output,
                     const RootImageOptions& options, const base::Log& log,
                     const std::stop_token& stop);

/// Replaces the file `image` by `image`.gz, the bytes of `gzip -9 --rsyncable --no-name`. `log` is
/// a descriptor that gets what gzip prints, or -1.
void gzip_root_image(const std::string& image, const std::stop_token& stop, int log = -1);

}  // namespace meph2::image

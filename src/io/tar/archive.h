#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fs/file.h"

namespace io {

/// What went through normalise_tar, and what had to be left behind because a squashfs cannot hold
/// it.
struct TarFacts {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< of data, holes not counted
  std::uint64_t acls = 0;   ///< entries that had POSIX ACLs
  std::string first_acl;
  std::uint64_t dropped_xattrs = 0;  ///< xattrs outside user., trusted. and security.
  std::string first_dropped;
};

/// Reads a root file system's tar (plain, or gzip, xz, zstd, bzip2, lzma) from the start of `in`
/// and writes it to `out` as an uncompressed PAX tar: numeric ids, user/trusted/security xattrs,
/// devices, hard links, holes and whole-second dates kept; entry names normalised. Nothing touches
/// the disk on the way. `max_bytes` bounds the data. Throws Error(untrusted) for what EntryNames
/// refuses, for damage, for a missing end and for too much data; Error(failed) when `out` cannot be
/// written (errno EPIPE: the reader went away).
TarFacts normalise_tar(base::File& in, int out, std::uint64_t max_bytes,
                       const std::stop_token& stop);

/// The first `size` bytes of a file after its compression (or of the file itself if it has none);
/// fewer if there are fewer. Error(untrusted) for damaged compression.
std::string decompressed_head(base::File& in, std::size_t size);

/// Writes the decompressed content of `in` to `out`, holes for zeros. Error(untrusted) for damage
/// and for more than `max_bytes` of data that is not zero or more than 64 times that in all.
void decompress(base::File& in, base::File& out, std::uint64_t max_bytes,
                const std::stop_token& stop);

/// Whether a tar looks like a cloud image's "img tar": plain files at its top, one of them *.img.
/// The name of that file; nullopt for other tars. Looks at the first entries only.
std::optional<std::string> disk_image_in_tar(base::File& in);

/// Writes the one *.img of an img tar to `out`. Error(untrusted) where there are more.
void extract_disk_image(base::File& in, base::File& out, std::uint64_t max_bytes,
                        const std::stop_token& stop);

/// The content of the first regular file of a tar whose normalised name is one of `names`, read no
/// further than that; nullopt if there is none. More than `limit` bytes is Error(untrusted).
std::optional<std::string> read_from_tar(base::File& in, const std::vector<std::string>& names,
                                         std::uint64_t limit, const std::stop_token& stop);

}  // namespace io

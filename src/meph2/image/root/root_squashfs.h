#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/fs/file.h"
#include "base/log.h"

namespace meph2::image {

/// How a squashfs is made.
struct SquashOptions {
  std::string compression = "xz";
  unsigned jobs = 1;
  std::uint64_t max_bytes = UINT64_MAX;  ///< of unpacked data
  int log = -1;                          ///< descriptor that gets what the packer prints; -1: none
};

/// Makes the squashfs `output` (which must not exist) of a root file system's tar, streaming: the
/// tar is never unpacked. Same input, same options and same $SOURCE_DATE_EPOCH give the same bytes.
/// What squashfs cannot hold is named in a warning. Errors as io::normalise_tar; no file is left
/// then. SIGPIPE has to be ignored, as base::StopSignals does.
void squash_tar(base::File& tar, const std::string& output, const SquashOptions& options,
                const base::Log& log, const std::stop_token& stop);

/// Converts a qcow2, which has to be standalone (require_standalone_qcow2()), to the raw image
/// `to`. `log` is a descriptor that gets what qemu-img prints, or -1.
void qcow2_to_raw(base::File& qcow2, const std::string& to, const std::stop_token& stop,
                  int log = -1);

/// A partition of a disk image.
struct Partition {
  std::uint64_t offset = 0;  ///< bytes
  std::uint64_t size = 0;
};

/// The root partition of a raw disk image, of what `sfdisk --json` printed (`table`) and the
/// partitions' content (`image`): by its GPT type for `arch`, else the largest that holds an ext
/// file system. Error(untrusted) where there is none.
Partition find_root_partition(const std::string& table, const base::File& image,
                              const std::string& arch);

/// Asks sfdisk for the partition table of a raw image.
std::string partition_table(const std::string& path, const std::stop_token& stop);

}  // namespace meph2::image

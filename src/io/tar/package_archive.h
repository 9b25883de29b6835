#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fs/file.h"

namespace io {

/// What may come out of a Debian package.
struct PackageLimits {
  std::uint64_t max_bytes = 1ULL << 30U;    ///< of all files in it, unpacked
  std::uint64_t max_taken = 256ULL << 20U;  ///< of the files that are wanted
  std::uint64_t max_entries = 200'000;
};

/// The content of the files of a Debian package (.deb) that are wanted, by normalised name
/// ("usr/lib/shim/shimx64.efi.signed"), in memory; nothing is unpacked to a disk. A wanted symlink
/// gives the content of the file of the same package that it leads to. Error(untrusted) for what is
/// no .deb, for damage, for names that EntryNames refuses, for devices, for a wanted link that
/// leads out of the package or to nothing, and for more than `limits`.
std::map<std::string, std::string> read_package_files(
    base::File& deb, const std::function<bool(const std::string& name)>& wanted,
    const PackageLimits& limits, const std::stop_token& stop);

/// Writes files (by their names in the archive) as a .tar.xz, from the start of `out`: sorted, mode
/// 0644, owned by root, dated 1970. The same files give the same bytes.
void write_tar_xz(const std::map<std::string, std::string>& files, base::File& out);

}  // namespace io

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fs/file.h"

namespace io {

/// XXH3-128 in xxhsum's canonical hex. Fast, and no defence against an attacker: for caches of our
/// own only, never published.
std::string fingerprint(std::string_view bytes);
std::string fingerprint_file(base::File& file);

/// XXH3-64, for tables in memory.
std::uint64_t fingerprint64(std::string_view bytes);

}  // namespace io

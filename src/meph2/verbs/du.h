#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sstream/repository/context.h"

namespace meph2 {

enum class DuBy : std::uint8_t { product, release, arch, version, orphan };

/// What one group of a stream's data files takes. A file that several groups name is `shared` with
/// each of them, and once in the total.
struct DuRow {
  std::string name;
  std::uint64_t files = 0;  ///< that no other group names
  std::uint64_t bytes = 0;
  std::uint64_t shared_files = 0;
  std::uint64_t shared_bytes = 0;
};

struct DuResult {
  std::vector<DuRow> rows;  ///< the largest first
  std::uint64_t files = 0;  ///< each counted once
  std::uint64_t bytes = 0;
};

/// By product, release, arch or version: the sizes that the live stream promises. By orphan: the
/// sizes of the files on disk, in the groups "live", "history" (only kept generations or holds name
/// them), "orphan" and "trash".
DuResult du(const std::string& data_d, DuBy by, const sstream::Context& context);

}  // namespace meph2

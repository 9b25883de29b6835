#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace meph2::image {

/// How large a file may be that a stage hands out: "kernel", "initrd", "dtb-0"; nothing for a name
/// that none has. What is larger is no kernel, and no disk is filled with it.
inline std::optional<std::uint64_t> largest_handed_out(std::string_view name) {
  if (name == "kernel") {
    return 1ULL << 30U;
  }
  if (name == "initrd") {
    return 4ULL << 30U;
  }
  const bool device_tree = name.starts_with("dtb-") && name.size() > 4 &&
                           name.find_first_not_of("0123456789", 4) == name.npos;
  return device_tree ? std::optional<std::uint64_t>(16ULL << 20U) : std::nullopt;
}

}  // namespace meph2::image

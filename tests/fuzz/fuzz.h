#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/error.h"

/// What libFuzzer calls, and the replay main when the compiler has no libFuzzer. Aborts when a
/// promise is broken; refusing an input with base::Error is keeping it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool kept) {
  if (!kept) {
    std::abort();
  }
}

/// Runs `body`, which may refuse its input with Error(`code`) and nothing else; whether it did not.
template <typename Body>
bool refused_or_done(base::Errc code, const Body& body) {
  try {
    body();
    return true;
  } catch (const base::Error& error) {
    require(error.code() == code);
    return false;
  }
}

/// Cuts an input in two at its first `separator`; the second part is empty without one.
inline std::pair<std::string_view, std::string_view> cut(std::string_view text,
                                                         std::string_view separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) {
    return {text, {}};
  }
  return {text.substr(0, at), text.substr(at + separator.size())};
}

}  // namespace fuzz

// First line an expression, the rest a value: refused as usage, or it gives a verdict.
#include <cstdlib>

#include "base/error.h"
#include "sstream/filter.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  const auto value = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  try {
    const sstream::Filter filter{std::string(text.substr(0, line))};
    static_cast<void>(filter.matches(value.substr(0, 64)));
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::usage) {
      std::abort();
    }
  }
  return 0;
}

// A time stamp or a duration: not understood, or one that survives being written and read again.
#include <cstdlib>

#include "base/clock.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = base::parse_stamp(text)) {
    if (base::parse_stamp(base::format_stamp(*time)) != time) {
      std::abort();
    }
  }
  if (const auto span = base::parse_duration(text); span && span->count() < 0) {
    std::abort();
  }
  return 0;
}

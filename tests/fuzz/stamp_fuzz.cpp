// A time stamp or a duration: not understood, or one that survives being written and read again.
#include "base/clock.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (const auto time = base::parse_stamp(text)) {
    fuzz::require(base::parse_stamp(base::format_stamp(*time)) == time);
  }
  const auto span = base::parse_duration(text);
  fuzz::require(!span || span->count() >= 0);
  return 0;
}

// First line an expression, the rest a value: refused as usage, or it gives a verdict.
#include "sstream/format/filter.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [line, value] = fuzz::cut(fuzz::text_of(data, size), "\n");
  const std::string expression(line);
  const auto tag = value.substr(0, 64);
  fuzz::refused_or_done(base::Errc::usage,
                        [&] { static_cast<void>(sstream::Filter(expression).matches(tag)); });
  return 0;
}

// Any text: refused with base::Error, or a tree that writes out and reads back as the same tree, in
// a form that writes the same again.
#include <cstdlib>

#include "base/error.h"
#include "io/json.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const io::Json tree = io::parse_json(text, "fuzz");
    const auto written = io::to_text(tree);
    const io::Json again = io::parse_json(written, "written");
    if (again != tree || io::to_text(again) != written) {
      std::abort();
    }
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      std::abort();
    }
  }
  return 0;
}

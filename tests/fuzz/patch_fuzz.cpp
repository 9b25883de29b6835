// Any text as a patch: refused as usage, or it is one whose patterns can be asked.
#include <cstdlib>

#include "base/error.h"
#include "meph2/patch_file.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& stream : meph2::parse_patch(text, "f")) {
      for (const auto& product : stream.products) {
        static_cast<void>(product.matches("com.ubuntu.maas:v3:boot:24.04:amd64:ga-24.04"));
      }
    }
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::usage) {
      std::abort();
    }
  }
  return 0;
}

// Any text as a patch: refused as usage, or it is one whose patterns can be asked.
#include "meph2/verbs/patch_file.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::usage, [&] {
    for (const auto& stream : meph2::parse_patch(text, "f")) {
      for (const auto& product : stream.products) {
        static_cast<void>(product.matches("com.ubuntu.maas:v3:boot:24.04:amd64:ga-24.04"));
      }
    }
  });
  return 0;
}

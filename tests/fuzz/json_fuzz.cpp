// Any text: refused with base::Error, or a tree that writes out and reads back as the same tree, in
// a form that writes the same again.
#include "io/json/json.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    const io::Json tree = io::parse_json(text, "fuzz");
    const auto written = io::to_text(tree);
    const io::Json again = io::parse_json(written, "written");
    fuzz::require(again == tree && io::to_text(again) == written);
  });
  return 0;
}

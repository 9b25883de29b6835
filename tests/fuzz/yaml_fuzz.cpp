// YAML: refused as usage, or a value that is written and read back as the same, and whose every
// place can be told.
#include "io/yaml/yaml.h"
#include "tests/fuzz/fuzz.h"

namespace {

void read(std::string_view text) {
  const auto yaml = io::parse_yaml(text, "fuzz");
  static_cast<void>(yaml.where("/releases/0/version"));
  static_cast<void>(yaml.entry("/releases/0"));
  const auto written = io::to_yaml(yaml.value);
  fuzz::require(io::parse_yaml(written, "written").value == yaml.value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::usage, [&] { read(text); });
  return 0;
}

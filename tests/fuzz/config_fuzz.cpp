// A configuration to build by: refused as usage, or one whose every release and kernel can be asked
// for.
#include "base/template.h"
#include "meph2/config/stream_config.h"
#include "tests/fuzz/fuzz.h"

namespace {

void read(std::string_view text) {
  const auto config = meph2::parse_stream_config(text, "fuzz");
  for (const auto& release : config.releases) {
    for (const auto& arch : release.arches()) {
      config.require_arch(config.require_release(release.codename), arch);
      static_cast<void>(release.builtin_kernel(arch));
    }
    for (const auto& row : release.kernels) {
      fuzz::refused_or_done(base::Errc::usage, [&] {
        base::expand_template(config.kname, {{"krel", row.krel}, {"arch", row.arch}});
      });
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::usage, [&] { read(text); });
  return 0;
}

// An index: refused as untrusted, or one whose every entry can be asked for, that is written with
// signed paths and read back with the same contents.
#include "base/fs/beneath.h"
#include "sstream/format/index.h"
#include "tests/fuzz/fuzz.h"

namespace {

void read(std::string_view text) {
  const auto index = sstream::StreamIndex::parse(text, "fuzz");
  static_cast<void>(index.updated());
  const auto entries = index.entries();
  for (const auto& entry : entries) {
    fuzz::require(entry.path.empty() || base::unsafe_path_reason(entry.path) == nullptr);
    const auto found = index.entry(entry.content_id);
    fuzz::require(found && found->node == entry.node);
  }
  fuzz::require(!index.entry("no such content"));
  const auto again =
      sstream::StreamIndex::parse(io::to_text(sstream::with_signed_paths(index.json())), "written");
  fuzz::require(again.entries().size() == entries.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::untrusted, [&] { read(text); });
  return 0;
}

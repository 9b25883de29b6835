// A list of items, as JSON or between tabs: refused as untrusted, or a list whose tags can be
// settled or refused.
#include "sstream/generate/item_list.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    for (auto& record : sstream::parse_items(fuzz::text_of(data, size), "list",
                                             sstream::ListFormat::detect, "c:download")) {
      const bool settled =
          fuzz::refused_or_done(base::Errc::untrusted, [&] { sstream::settle_tags(record); });
      if (settled) {
        // What has been settled stays as it is.
        const auto before = record.tags;
        sstream::settle_tags(record);
        fuzz::require(record.tags == before);
      }
    }
  });
  return 0;
}

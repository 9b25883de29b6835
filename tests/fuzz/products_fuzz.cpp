// A products file: refused as untrusted, or read, condensed, written and read back equal, every
// item asked for all that metadata can promise.
#include "sstream/format/checksums.h"
#include "sstream/format/condense.h"
#include "sstream/format/product_tree.h"
#include "tests/fuzz/fuzz.h"

namespace {

void products(std::string_view text) {
  auto tree = sstream::ProductTree::parse(text, "fuzz");
  tree.for_each_item([](const sstream::Item& item) {
    static_cast<void>(item.tags());
    fuzz::refused_or_done(base::Errc::untrusted, [&] { static_cast<void>(item.path()); });
    fuzz::refused_or_done(base::Errc::untrusted,
                          [&] { static_cast<void>(sstream::Checksums::of(item, true)); });
  });
  const auto again = sstream::ProductTree::parse(io::to_text(tree.json()), "written");
  fuzz::require(tree.json().contains("_aliases") || again.json() == tree.json());
  sstream::condense(tree.json(), sstream::default_sticky());
  static_cast<void>(tree.prune());
  static_cast<void>(sstream::ProductTree::parse(io::to_text(tree.json()), "condensed"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(base::Errc::untrusted, [&] { products(text); });
  return 0;
}

// A products file or an index: refused as untrusted, or read, condensed, written and read back
// equal, every item asked for all that metadata can promise.
#include <cstdlib>

#include "base/error.h"
#include "sstream/checksums.h"
#include "sstream/condense.h"
#include "sstream/index.h"
#include "tests/fuzz/fuzz.h"

namespace {

template <typename Body>
void refused_or_done(const Body& body) {
  try {
    body();
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      std::abort();
    }
  }
}

void products(std::string_view text) {
  auto tree = sstream::ProductTree::parse(text, "fuzz");
  tree.for_each_item([](const sstream::Item& item) {
    static_cast<void>(item.tags());
    refused_or_done([&] { static_cast<void>(item.path()); });
    refused_or_done([&] { static_cast<void>(sstream::Checksums::of(item, true)); });
  });
  const auto again = sstream::ProductTree::parse(io::to_text(tree.json()), "written");
  if (!tree.json().contains("_aliases") && again.json() != tree.json()) {
    std::abort();
  }
  sstream::condense(tree.json(), sstream::default_sticky());
  static_cast<void>(tree.prune());
  static_cast<void>(sstream::ProductTree::parse(io::to_text(tree.json()), "condensed"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refused_or_done([&] { products(text); });
  refused_or_done([&] { static_cast<void>(sstream::StreamIndex::parse(text, "fuzz").entries()); });
  return 0;
}

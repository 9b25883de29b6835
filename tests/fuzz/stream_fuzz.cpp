// The readers that stream a products file agree with the one that holds it as a tree: each item of
// the tree is visited, once and with the same tags, and what the tree refuses they refuse.
#include <map>

#include <sys/mman.h>

#include "sstream/format/item_stream.h"
#include "sstream/format/summary.h"
#include "sstream/format/version_reader.h"
#include "tests/fuzz/fuzz.h"

namespace {

using Items = std::map<sstream::Pedigree, sstream::Tags>;

base::File file_of(std::string_view text) {
  base::File file(base::UniqueFd(::memfd_create("fuzz", MFD_CLOEXEC)), "fuzz");
  file.write(text);
  file.seek(0);
  return file;
}

void add(Items& items, const sstream::Item& item) {
  fuzz::require(items.emplace(item.pedigree(), item.tags()).second);
}

class Versions : public sstream::VersionVisitor {
 public:
  std::size_t count = 0;

  void head(const sstream::ProductTree& tags) override { static_cast<void>(tags.content_id()); }

  void version(const sstream::Pedigree& version, const sstream::Json& product,
               const sstream::Json& node) override {
    fuzz::require(product.is_object() && node.is_object() && !version.version.empty());
    ++count;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = file_of(fuzz::text_of(data, size));
  Items expected;
  std::size_t versions = 0;
  const bool read = fuzz::refused_or_done(base::Errc::untrusted, [&] {
    const auto tree = sstream::ProductTree::parse(fuzz::text_of(data, size), "fuzz");
    tree.for_each_item([&](const sstream::Item& item) { add(expected, item); });
    versions = tree.version_count();
  });
  Items items;
  const bool streamed = fuzz::refused_or_done(base::Errc::untrusted, [&] {
    sstream::visit_items(file, [&](const sstream::Item& item) { add(items, item); });
  });
  fuzz::require(read == streamed && (!read || items == expected));
  Versions visitor;
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    sstream::visit_versions(file, visitor);
    fuzz::require(!read || visitor.count == versions);
  });
  const bool summed = fuzz::refused_or_done(base::Errc::untrusted, [&] {
    const auto summary = sstream::summarise(file);
    fuzz::require(!read || summary.version_count() == versions);
  });
  fuzz::require(summed || !read);
  fuzz::refused_or_done(base::Errc::untrusted, [&] { sstream::read_head(file); });
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    sstream::read_versions(file, {"20240105", "1"});
  });
  return 0;
}

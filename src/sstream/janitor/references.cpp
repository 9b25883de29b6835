#include "sstream/janitor/references.h"

#include "base/strings.h"
#include "sstream/format/item_stream.h"
#include "sstream/format/summary.h"
#include "sstream/janitor/named_paths.h"

namespace sstream {

namespace {

std::optional<std::uint64_t> size_of(const Item& item) {
  const auto text = item.tag("size");
  return text ? base::parse_decimal(*text) : std::nullopt;
}

std::size_t visit_document(base::File& file, const Metadata& metadata,
                           const std::function<void(const Reference&)>& visit) {
  const auto summary = summarise(file);
  if (summary.format != "products:1.0") {
    return 0;
  }
  std::size_t seen = 0;
  visit_items(file, [&](const Item& item) {
    if (const auto text = item.tag("path")) {
      const auto path = required_path(*text, file.name());
      const auto sha256 = item.tag("sha256").value_or("");
      visit({path, size_of(item), sha256, metadata.generation, &item});
      ++seen;
    }
  });
  return seen;
}

}  // namespace

void for_each_reference(const Repository& repository, const ReferencePolicy& policy,
                        const std::function<void(const Reference& reference)>& visit) {
  for (const auto& generation : generations_of(repository, policy)) {
    const auto metadata = open_generation(repository, generation, policy);
    std::size_t seen = 0;
    for_each_document(metadata, policy,
                      [&](base::File& file) { seen += visit_document(file, metadata, visit); });
    require_some(metadata, policy, seen);
  }
}

}  // namespace sstream

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sstream/format/product_tree.h"

namespace sstream {

/// One item on a list of what is to be published.
struct ItemRecord {
  std::string content_id;
  Pedigree id;
  Json tags;          ///< what the item says of itself, with its JSON types
  std::string where;  ///< "FILE:LINE", for messages

  /// The checked tag `path`; nullopt without one.
  std::optional<std::string> path() const;
};

enum class ListFormat : std::uint8_t { detect, json, tab };

/// Reads a list of items as the established json2streams and tab2streams take them
/// (docs/format.md 2.8, 4.5): a JSON array of objects with content_id, product_name, version_name,
/// item_name and the item's tags; or lines of these four and KEY=VALUE, between tabs. What
/// sstream-query --json prints is such a list. `detect`: what begins with "[" is JSON. `content_id`
/// stands in where a record of a JSON list has none. Error(untrusted) "NAME:LINE: FIELD: reason".
std::vector<ItemRecord> parse_items(std::string_view text, const std::string& name,
                                    ListFormat format, const std::string& content_id = {});

/// Checks the tags and brings them into their form: `size` is a number of bytes, digests are hex of
/// their length in lower case, `path` is safe, no key is one that makes the tree. Error(untrusted)
/// "WHERE: FIELD: reason".
void settle_tags(ItemRecord& record);

/// Error(untrusted) "WHERE: FIELD: reason".
[[noreturn]] void refuse_field(const std::string& where, std::string_view field,
                               std::string_view reason);

}  // namespace sstream

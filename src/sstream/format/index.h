#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/json/json.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// One content of an index:1.0.
struct IndexEntry {
  std::string content_id;
  std::string path;  ///< checked; empty: nothing to fetch
  std::string format;
  std::string datatype;
  std::string updated;
  std::vector<std::string> products;
  io::Json node;  ///< the whole entry, for keys we do not know
};

/// index:1.0 (docs/format.md 1.2).
class StreamIndex {
 public:
  /// Error(untrusted) for another format, an unsafe path, wrong types, a content id that is no fit
  /// name, an entry that is an index itself. Expands _aliases as ProductTree does.
  StreamIndex(io::Json json, std::string name);
  static StreamIndex parse(std::string_view text, const std::string& name);

  const std::string& name() const { return name_; }

  const io::Json& json() const { return json_; }

  std::string updated() const;
  std::vector<IndexEntry> entries() const;
  std::optional<IndexEntry> entry(const std::string& content_id) const;

 private:
  io::Json json_;
  std::string name_;
};

/// Error(untrusted) unless the products file is the content that the index named it as.
void require_content_id(const IndexEntry& entry, const ProductTree& tree);

/// The same document with each entry path ending in .json changed to .sjson: what index.sjson
/// signs.
io::Json with_signed_paths(io::Json index);

}  // namespace sstream

#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "base/fs/file.h"
#include "io/json/json_fwd.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// What an index needs to know of a JSON document, read in little memory.
struct StreamSummary {
  std::string format;
  std::string content_id;
  std::string datatype;
  std::string updated;
  std::map<std::string, std::size_t> versions;  ///< product -> number of versions

  /// What an index names: everything with a format and a content id that is no index itself. Other
  /// documents in streams/v1 are carried along unread.
  bool is_stream() const { return !content_id.empty() && !format.empty() && format != "index:1.0"; }

  std::size_t version_count() const;

  bool operator==(const StreamSummary&) const = default;
};

/// Error(untrusted) where the document is not JSON.
StreamSummary summarise(base::File& file);

/// The same of a tree in memory.
StreamSummary summary_of(const ProductTree& tree);

/// Only `format` and `content_id`: no more of the document is read than it takes to find them, so
/// that what follows may still turn out to be no JSON.
StreamSummary read_head(base::File& file);

/// The index entry of a stream: datatype, updated, format, path and, of a products file, its sorted
/// products. Keys of `previous` that we do not write (clouds, cloudname, ...) are carried over.
io::Json index_entry(const StreamSummary& summary, const std::string& path,
                     const io::Json& previous);

}  // namespace sstream

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sstream/source/content_source.h"

namespace sstream {

enum class QueryOutput : std::uint8_t {
  dict,    ///< a line of Python's repr() of the tags
  pretty,  ///< the same laid out for people
  json,    ///< one array for all
  format,  ///< a line of `format`
};

struct QueryOptions {
  std::string source;               ///< directory, document or URL
  std::optional<std::string> path;  ///< of the first document, below `source`
  std::vector<std::string> filters;
  std::optional<std::size_t> max;  ///< newest versions of each product
  QueryOutput output = QueryOutput::dict;
  std::string format;
  TrustOptions trust;
};

/// Where a query's results go: pieces of any size.
struct QuerySinks {
  io::Sink out;
  io::Sink complaints;  ///< items that lack a tag of the format
};

/// Lists the items that match (docs/format.md 5.5) in the order of the documents, the newest
/// version of a product first. In memory there is one product's output at a time.
void query(const QueryOptions& options, const QuerySinks& sinks, const Context& context);

}  // namespace sstream

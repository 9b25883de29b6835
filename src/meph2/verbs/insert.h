#pragma once

#include <string>
#include <vector>

#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"
#include "sstream/source/content_source.h"

namespace meph2 {

struct InsertOptions {
  std::string source;  ///< directory, file or URL
  std::string target;  ///< data directory
  std::vector<std::string> filters;
  std::size_t max = 20;  ///< newest versions of a product that are considered
  sstream::TrustOptions trust;
  sstream::PublishOptions publish;
};

struct InsertResult {
  AddedItems items;
  sstream::PublishResult published;
};

/// Adds the versions of the source's products that the target lacks, with their files
/// (docs/format.md 4.7). Versions that are there are not touched, nothing is removed. One
/// transaction over all content ids of the source.
InsertResult insert(const InsertOptions& options, const sstream::Context& context);

}  // namespace meph2

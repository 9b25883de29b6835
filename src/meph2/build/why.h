#pragma once

#include <string>
#include <vector>

#include "meph2/build/compare.h"

namespace meph2 {

/// Why another build of a product would, or would not, give the same as what is published of it.
struct BuildWhy {
  std::string product;
  std::string version;    ///< the newest that is published; empty: none
  bool planned = true;    ///< the build makes it
  bool recorded = false;  ///< what the version was built from is known
  std::vector<BuildChange> changes;
};

/// Compares the record of the newest published version of `product` with what a build would take
/// now. Reads the local source, asks the builder for its version and the archives for their
/// InRelease; changes nothing. Error(not_found) for a product that is neither planned nor
/// published.
BuildWhy why_build(const std::string& repository, const std::string& content_id,
                   const std::string& product, CurrentInputs& current,
                   const sstream::Context& context);

std::vector<std::string> lines_of(const BuildWhy& why);

io::Json json_of(const BuildWhy& why);

}  // namespace meph2

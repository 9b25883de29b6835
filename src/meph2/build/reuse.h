#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meph2/build/inputs.h"
#include "sstream/repository/generation.h"

namespace meph2 {

/// The files of a published version that a build would make again, byte for byte.
struct ReusedBuild {
  std::string version;  ///< that they are of
  BuiltFiles files;     ///< by their new paths
  std::vector<sstream::NewFile> new_files;
  std::map<std::string, BuildInputs> inputs;  ///< by product: what they were built from
};

/// The newest version of all products of the plan that was built from just what a build would take
/// now, and whose files are in place, read and found right. Nothing where there is none, and where
/// anything at all is unknown. Asks the archives, and the builder for its version, only where all
/// else is equal.
std::optional<ReusedBuild> find_reusable(const std::string& repository,
                                         const std::string& content_id, CurrentInputs& current,
                                         const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <chrono>
#include <string>

#include "sstream/repository/context.h"
#include "sstream/repository/holds.h"

namespace meph2 {

struct HoldOptions {
  std::string data_d;
  std::string version;  ///< "PRODUCT@VERSION"
  std::string reason;
  std::string until;  ///< "30d", or a date; empty: until it is taken back
  bool dry_run = false;
  std::chrono::seconds lock_timeout{60};
};

/// Keeps a version, and its files, from clean-md, remove-version and the janitor. Error(not_found)
/// for a version that the live stream does not have, Error(usage) for an end that is past or no
/// date. Holding again replaces reason and end.
sstream::Hold hold(const HoldOptions& options, const sstream::Context& context);

/// Takes a hold back; Error(not_found) without one.
sstream::Hold unhold(const HoldOptions& options, const sstream::Context& context);

/// All holds of a repository, also those that have ended.
std::vector<sstream::Hold> list_holds(const std::string& data_d);

}  // namespace meph2

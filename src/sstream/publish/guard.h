#pragma once

#include <set>
#include <string>

#include "sstream/format/summary.h"

namespace sstream {

/// What a source may take away from a repository without the operator saying so.
struct GuardRails {
  bool enforced = false;                  ///< verbs that remove on request are their own permission
  bool allow_shrink = false;              ///< --allow-shrink
  std::set<std::string> allow_drop = {};  ///< --allow-drop PRODUCT
};

/// Error(refused) when the change empties a stream, drops a product that is not in allow_drop, or
/// loses more than half of the products or versions, unless allowed.
void check_shrink(const GuardRails& rails, const std::string& content_id,
                  const StreamSummary& before, const StreamSummary& after);

}  // namespace sstream

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sstream {

/// Which versions of a product to add (newest first) and to remove (oldest first).
struct WorkPlan {
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

/// docs/format.md 2.4, with its surprises where they are compatible behaviour and without the
/// quadratic time. `keep` without `max` is a logic error of the caller (Errc::internal).
WorkPlan resolve_work(const std::vector<std::string>& source,
                      const std::vector<std::string>& target, std::optional<std::size_t> max,
                      bool keep,
                      const std::function<bool(const std::string& version)>& wanted = {});

}  // namespace sstream

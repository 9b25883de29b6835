#include "meph2/supply/soak.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace meph2 {

std::optional<base::Time> end_of_version_day(const std::string& version) {
  const auto digits = version.find_first_not_of("0123456789");
  const auto day = base::parse_day(std::string_view(version).substr(0, digits));
  return day ? std::optional<base::Time>(*day + std::chrono::days(1)) : std::nullopt;
}

void require_soaked(const std::string& version, const std::string& updated,
                    std::chrono::seconds soak, base::Time now) {
  std::vector<base::Time> there_since;
  const auto named = end_of_version_day(version);
  if (named) {
    there_since.push_back(*named);
  }
  const auto changed = base::parse_stamp(updated);
  // A document that says to be older than what is in it says nothing.
  if (changed && !(named && *changed < *named - std::chrono::days(1))) {
    there_since.push_back(*changed);
  }
  if (there_since.empty()) {
    throw base::Error(base::Errc::refused,
                      base::cat(version, ": nothing tells its age, and --soak asks for ",
                                soak.count(), " seconds"));
  }
  const auto since = *std::min_element(there_since.begin(), there_since.end());
  if (now - since < soak) {
    throw base::Error(
        base::Errc::refused,
        base::cat(version, ": is known to be there only since ", base::format_stamp(since),
                  "; --soak asks for ", soak.count(), " seconds"));
  }
}

}  // namespace meph2

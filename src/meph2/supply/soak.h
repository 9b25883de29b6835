#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace meph2 {

/// The end of the day that a version is named after: a version is not older than that can show.
/// nullopt for names that do not begin with a date ("20260101", "20260101.1").
std::optional<base::Time> end_of_version_day(const std::string& version);

/// Error(refused) unless the version is known to be `soak` old: its source has not changed for so
/// long (`updated`: it was there by then at the latest; a stamp before the day that the version is
/// named after is none, established tools forget to move it), or so much time has passed since the
/// end of the day that it is named after. What cannot be known counts as young.
void require_soaked(const std::string& version, const std::string& updated,
                    std::chrono::seconds soak, base::Time now);

}  // namespace meph2

#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace meph2::import {

/// "20260131": the day, in UTC.
std::string day_of(base::Time time);

/// The name for a new version of a product that has `there`: DAY and `first` (".0", "_01"), or,
/// where that would not sort after all of them as a string, the next number after the newest of
/// that form. A number keeps its digits, and gets one more where they are all nines (.8, .9, .90,
/// ..., .99, .990): so a tenth version of a day still sorts last, which .10 does not.
/// Error(conflict) where the newest is of another form and sorts after the day.
std::string next_version(const std::vector<std::string>& there, const std::string& day,
                         const std::string& first);

}  // namespace meph2::import

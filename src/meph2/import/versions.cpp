#include "meph2/import/versions.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace meph2::import {

namespace {

constexpr std::size_t day_digits = 8;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string next_number(std::string number) {
  for (auto digit = number.rbegin(); digit != number.rend(); ++digit) {
    if (*digit != '9') {
      ++*digit;
      std::fill(number.rbegin(), digit, '0');
      return number;
    }
  }
  return number + "0";
}

}  // namespace

std::string day_of(base::Time time) {
  return base::format_compact(time).substr(0, day_digits);
}

std::string next_version(const std::vector<std::string>& there, const std::string& day,
                         const std::string& first) {
  const auto newest = std::ranges::max_element(there);
  auto fresh = day + first;
  if (newest == there.end() || *newest < fresh) {
    return fresh;
  }
  const std::string_view name = *newest;
  if (name.size() < day_digits + 2 || !all_digits(name.substr(0, day_digits)) ||
      name[day_digits] != first.front() || !all_digits(name.substr(day_digits + 1))) {
    throw base::Error(base::Errc::conflict,
                      base::cat("the newest version is called '", name,
                                "', which sorts after any that would be made today (", fresh, ")"));
  }
  return base::cat(name.substr(0, day_digits + 1),
                   next_number(std::string(name.substr(day_digits + 1))));
}

}  // namespace meph2::import

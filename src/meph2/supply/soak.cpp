#include "meph2/supply/soak.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace meph2 {

namespace {

constexpr std::size_t date_digits = 8;

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

}  // namespace

std::optional<base::Time> end_of_version_day(const std::string& version) {
  const bool dated = version.size() >= date_digits &&
                     std::all_of(version.begin(), version.begin() + date_digits, is_digit) &&
                     (version.size() == date_digits || !is_digit(version[date_digits]));
  if (!dated) {
    return std::nullopt;
  }
  const std::chrono::year_month_day day(
      std::chrono::year(std::stoi(version.substr(0, 4))),
      std::chrono::month(static_cast<unsigned>(std::stoi(version.substr(4, 2)))),
      std::chrono::day(static_cast<unsigned>(std::stoi(version.substr(6, 2)))));
  if (!day.ok()) {
    return std::nullopt;
  }
  return base::Time(std::chrono::sys_days(day) + std::chrono::days(1));
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

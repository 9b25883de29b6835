#include "meph2/soak.h"

#include <algorithm>

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
  const auto named = end_of_version_day(version);
  auto changed = base::parse_stamp(updated);
  if (changed && named && *changed < *named - std::chrono::days(1)) {
    changed.reset();  // the document says that it is older than what is in it
  }
  const auto is_old = [&](const std::optional<base::Time>& since) {
    return since && now - *since >= soak;
  };
  if (is_old(named) || is_old(changed)) {
    return;
  }
  const auto since =
      named && changed ? std::min(*named, *changed) : named.value_or(changed.value_or(now));
  throw base::Error(base::Errc::refused,
                    base::cat(version, ": ",
                              named || changed ? base::cat("is known to be there only since ",
                                                           base::format_stamp(since))
                                               : "nothing tells its age",
                              "; --soak asks for ", soak.count(), " seconds"));
}

}  // namespace meph2

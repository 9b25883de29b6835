#include "base/clock.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"

namespace base {

namespace {

constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Fields {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
  unsigned weekday;
};

Fields fields_of(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<std::chrono::seconds>(time - day),
          std::chrono::weekday(day).c_encoding()};
}

std::string two(std::int64_t value) {
  return value < 10 ? cat('0', value) : cat(value);
}

std::optional<int> number(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value || *value > 9999) {
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

std::optional<std::chrono::sys_days> day_of_calendar(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

std::optional<Time> make_time(std::optional<int> year, std::optional<int> month,
                              std::optional<int> day, std::string_view clock,
                              std::chrono::minutes offset) {
  if (!year || !month || !day || clock.size() != 8 || clock[2] != ':' || clock[5] != ':') {
    return std::nullopt;
  }
  const auto hour = number(clock.substr(0, 2));
  const auto minute = number(clock.substr(3, 2));
  const auto second = number(clock.substr(6, 2));
  const auto date = day_of_calendar(*year, *month, *day);
  if (!hour || !minute || !second || !date || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const Time time = *date + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                    std::chrono::seconds(*second) - offset;
  // Others have no four digits for their year, so that they could not be written and read again.
  constexpr Time first = std::chrono::sys_days(std::chrono::year(1000) / 1 / 1);
  constexpr Time end = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  return time >= first && time < end ? std::optional(time) : std::nullopt;
}

/// "+0130" or "+01:30" or "Z".
std::optional<std::chrono::minutes> parse_zone(std::string_view text) {
  if (text == "Z") {
    return std::chrono::minutes(0);
  }
  if (text.size() == 6 && text[3] == ':') {
    return parse_zone(cat(text.substr(0, 3), text.substr(4)));
  }
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const auto hours = number(text.substr(1, 2));
  const auto minutes = number(text.substr(3, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text[0] == '-' ? -offset : offset;
}

std::optional<Time> parse_iso(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != ' ')) {
    return std::nullopt;
  }
  const auto zone = parse_zone(text.substr(19));
  if (!zone) {
    return std::nullopt;
  }
  return make_time(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2)),
                   text.substr(11, 8), *zone);
}

}  // namespace

Time SystemClock::now() const {
#ifdef MEPH2_FAILPOINTS
  if (const char* text = std::getenv("SS_TEST_NOW"); text != nullptr) {
    if (const auto value = parse_decimal(text)) {
      return Time(std::chrono::seconds(*value));
    }
  }
#endif
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string format_stamp(Time time) {
  const auto fields = fields_of(time);
  return cat(days.at(fields.weekday), ", ", two(unsigned(fields.date.day())), " ",
             months.at(unsigned(fields.date.month()) - 1), " ", int(fields.date.year()), " ",
             two(fields.time.hours().count()), ":", two(fields.time.minutes().count()), ":",
             two(fields.time.seconds().count()), " +0000");
}

std::string format_compact(Time time) {
  const auto fields = fields_of(time);
  return cat(int(fields.date.year()), two(unsigned(fields.date.month())),
             two(unsigned(fields.date.day())), "T", two(fields.time.hours().count()),
             two(fields.time.minutes().count()), two(fields.time.seconds().count()), "Z");
}

std::string date_of(Time time) {
  const auto stamp = format_compact(time);
  return cat(stamp.substr(0, 4), "-", stamp.substr(4, 2), "-", stamp.substr(6, 2));
}

std::optional<Time> parse_stamp(std::string_view text) {
  const auto parts = split(text, ' ');
  if (parts.size() != 6) {
    return parse_iso(text);
  }
  const bool day_known = parts[0].size() == 4 && parts[0][3] == ',' &&
                         std::find(days.begin(), days.end(), parts[0].substr(0, 3)) != days.end();
  const auto month = std::find(months.begin(), months.end(), parts[2]);
  const auto zone = parse_zone(parts[5]);
  if (!day_known || month == months.end() || !zone || parts[1].size() > 2) {
    return std::nullopt;
  }
  return make_time(number(parts[3]), static_cast<int>(month - months.begin()) + 1, number(parts[1]),
                   parts[4], *zone);
}

std::optional<std::chrono::sys_days> parse_day(std::string_view digits) {
  constexpr std::size_t length = 8;
  const auto value = digits.size() == length ? parse_decimal(digits).value_or(0) : 0;
  const auto date = static_cast<int>(value);
  return day_of_calendar(date / 10'000, date / 100 % 100, date % 100);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  static constexpr std::string_view units = "dhms";
  static constexpr std::array<std::uint64_t, 4> seconds = {86400, 3600, 60, 1};
  constexpr std::uint64_t limit = 100ULL * 366 * 86400;  // a century: more is a slip of the finger
  if (text.empty()) {
    return std::nullopt;
  }
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto value = parse_decimal(text.substr(0, digits));
    const auto unit = digits < text.size() ? units.find(text[digits]) : std::string_view::npos;
    if (!value || unit == std::string_view::npos || unit < next_unit || *value > limit) {
      return std::nullopt;
    }
    total += *value * seconds.at(unit);
    next_unit = unit + 1;
    text.remove_prefix(digits + 1);
  }
  if (total > limit) {
    return std::nullopt;
  }
  return std::chrono::seconds(total);
}

}  // namespace base

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace base {

using Time = std::chrono::sys_seconds;

/// Where "now" comes from: one seam, so that tests need no sleeping.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The system's clock; in builds with fail points SS_TEST_NOW (seconds since 1970) overrides it.
class SystemClock : public Clock {
 public:
  Time now() const override;
};

/// "Thu, 01 Jan 1970 00:00:00 +0000": UTC, C-locale names whatever the locale is
/// (docs/format.md 1.6; MAAS parses exactly this).
std::string format_stamp(Time time);

/// The same layout with any numeric zone, or ISO 8601 (MAAS 3.8 accepts both); nullopt otherwise.
std::optional<Time> parse_stamp(std::string_view text);

/// "20260101T120000Z": sorts, and is fit for a file name.
std::string format_compact(Time time);

/// "2026-01-01", in UTC.
std::string date_of(Time time);

/// "20260101"; nullopt for what is no day of the calendar.
std::optional<std::chrono::sys_days> parse_day(std::string_view digits);

/// Sum of <integer><d|h|m|s>, "1d12h"; nothing else, no blanks, largest unit first.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace base

#include "io/yaml/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "base/strings.h"

namespace io {

namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes leading characters of `text` that satisfy `test`, dropping the underscores among them.
template <typename Test>
std::string take(std::string_view& text, const Test& test) {
  std::string taken;
  std::size_t at = 0;
  while (at < text.size() && (text[at] == '_' || test(text[at]))) {
    if (text[at] != '_') {
      taken += text[at];
    }
    ++at;
  }
  text.remove_prefix(at);
  return taken;
}

bool take_sign(std::string_view& text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    const bool negative = text[0] == '-';
    text.remove_prefix(1);
    return negative;
  }
  return false;
}

std::optional<bool> boolean(std::string_view text) {
  static constexpr std::array<const char*, 9> yes{"yes",  "Yes", "YES", "true", "True",
                                                  "TRUE", "on",  "On",  "ON"};
  static constexpr std::array<const char*, 9> no{"no",    "No",  "NO",  "false", "False",
                                                 "FALSE", "off", "Off", "OFF"};
  if (std::find(yes.begin(), yes.end(), text) != yes.end()) {
    return true;
  }
  if (std::find(no.begin(), no.end(), text) != no.end()) {
    return false;
  }
  return std::nullopt;
}

std::uint64_t in_base(const std::string& digits, int base, std::string_view whole) {
  std::uint64_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || result.ec != std::errc() || result.ptr != end) {
    throw std::range_error(base::cat("the number '", whole, "' does not fit into 64 bits"));
  }
  return value;
}

Json signed_integer(bool negative, std::uint64_t magnitude, std::string_view whole) {
  if (!negative) {
    return magnitude;
  }
  if (magnitude > 1ULL << 63U) {
    throw std::range_error(base::cat("the number '", whole, "' does not fit into 64 bits"));
  }
  return static_cast<std::int64_t>(0 - magnitude);
}

/// The ":MM" groups of a base 60 number; false when one is malformed. `value` collects.
bool sexagesimal_groups(std::string_view& text, std::uint64_t& value, std::string_view whole) {
  bool any = false;
  while (text.starts_with(":")) {
    text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && length < 2 && digit(text[length])) {
      ++length;
    }
    if (length == 0 || (length == 2 && text[0] > '5')) {
      return false;
    }
    const auto group = in_base(std::string(text.substr(0, length)), 10, whole);
    if (value > (UINT64_MAX - group) / 60) {
      throw std::range_error(base::cat("the number '", whole, "' does not fit into 64 bits"));
    }
    value = value * 60 + group;
    text.remove_prefix(length);
    any = true;
  }
  return any;
}

/// 0b101, 017, 0x1F, 1_000, 22:30:00; nullopt for anything else.
std::optional<Json> integer(std::string_view whole) {
  auto text = whole;
  const bool negative = take_sign(text);
  const auto based = [&](std::string_view prefix, int base,
                         const char* digits) -> std::optional<Json> {
    auto rest = text.substr(prefix.size());
    const auto taken = take(
        rest, [&](char c) { return std::string_view(digits).find(c) != std::string_view::npos; });
    if (!rest.empty() || taken.empty()) {
      return std::nullopt;
    }
    return signed_integer(negative, in_base(taken, base, whole), whole);
  };
  if (text.starts_with("0b")) {
    return based("0b", 2, "01");
  }
  if (text.starts_with("0x")) {
    return based("0x", 16, "0123456789abcdefABCDEF");
  }
  if (text.size() > 1 && text[0] == '0') {
    return based("0", 8, "01234567");
  }
  if (text.empty() || !digit(text[0])) {
    return std::nullopt;
  }
  const auto digits = take(text, digit);
  if (text.empty()) {
    return signed_integer(negative, in_base(digits, 10, whole), whole);
  }
  if (text[0] != ':' || digits[0] == '0') {
    return std::nullopt;
  }
  auto value = in_base(digits, 10, whole);
  if (!sexagesimal_groups(text, value, whole) || !text.empty()) {
    return std::nullopt;
  }
  return signed_integer(negative, value, whole);
}

double to_double(const std::string& text, std::string_view whole) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) {
    throw std::range_error(base::cat("the number '", whole, "' does not fit into a double"));
  }
  return value;
}

/// 1.5, 1., .5, 1.5e+3, 1:30.5; nullopt for anything else.
std::optional<Json> floating(std::string_view whole) {
  auto text = whole;
  const bool negative = take_sign(text);
  if (base::to_lower(std::string(text)) == ".inf" || whole == ".nan" || whole == ".NaN" ||
      whole == ".NAN") {
    throw std::range_error(base::cat("the number '", whole, "' is not finite"));
  }
  auto integral = !text.empty() && digit(text[0]) ? take(text, digit) : std::string();
  std::uint64_t sixties = 0;
  bool sexagesimal = false;
  if (text.starts_with(":") && !integral.empty()) {
    sixties = in_base(integral, 10, whole);
    sexagesimal = sexagesimal_groups(text, sixties, whole);
    if (!sexagesimal) {
      return std::nullopt;
    }
    integral = std::to_string(sixties);
  }
  if (!text.starts_with(".")) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  if (integral.empty() && (whole[0] != '.' || text.empty() || !digit(text[0]))) {
    return std::nullopt;
  }
  const auto fraction = take(text, digit);
  std::string exponent;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E') && !sexagesimal) {
    if (text.size() < 3 || (text[1] != '+' && text[1] != '-') ||
        !std::all_of(text.begin() + 2, text.end(), digit)) {
      return std::nullopt;
    }
    exponent = base::cat("e", text.substr(1));
    text = {};
  }
  if (!text.empty()) {
    return std::nullopt;
  }
  const auto number = base::cat(integral.empty() ? "0" : integral, ".",
                                fraction.empty() ? "0" : fraction, exponent);
  return (negative ? -1 : 1) * to_double(number, whole);
}

}  // namespace

Json resolve_plain_scalar(std::string_view text) {
  if (const auto value = boolean(text)) {
    return *value;
  }
  if (text.empty() || std::string_view("+-.0123456789").find(text[0]) == std::string_view::npos) {
    return std::string(text);
  }
  if (auto value = integer(text)) {
    return *value;
  }
  if (auto value = floating(text)) {
    return *value;
  }
  return std::string(text);
}

}  // namespace io

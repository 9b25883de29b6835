#include "io/http/head.h"

#include <algorithm>

#include "base/clock.h"
#include "base/strings.h"

namespace io {

std::optional<ContentRange> parse_content_range(std::string_view value) {
  constexpr std::string_view unit = "bytes ";
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (!value.starts_with(unit) || dash == std::string_view::npos ||
      slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = base::parse_decimal(value.substr(unit.size(), dash - unit.size()));
  const auto last = base::parse_decimal(value.substr(dash + 1, slash - dash - 1));
  const auto total_text = value.substr(slash + 1);
  const auto total = base::parse_decimal(total_text);
  if (!first || !last || *last < *first || (!total && total_text != "*") ||
      (total && *total <= *last)) {
    return std::nullopt;
  }
  return ContentRange{*first, *last, total};
}

void ResponseHead::take_line(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  if (line.starts_with("HTTP/")) {
    *this = {};
    const auto blank = std::min(line.find(' '), line.size());
    const auto code = base::parse_decimal(
        line.substr(blank).substr(0, 4).substr(std::min<std::size_t>(1, line.size() - blank)));
    status = code ? static_cast<long>(*code) : 0;
    return;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    take_field(base::to_lower(std::string(line.substr(0, colon))),
               base::trim(line.substr(colon + 1)));
  }
}

void ResponseHead::take_field(std::string_view name, std::string_view value) {
  if (name == "content-length") {
    const auto parsed = base::parse_decimal(value);
    if (!parsed) {
      fault = "a Content-Length that is no number";
    } else if (length && *length != *parsed) {
      fault = "two different Content-Lengths";
    }
    length = parsed;
  } else if (name == "etag") {
    etag = value;
  } else if (name == "last-modified") {
    last_modified = value;
  } else if (name == "date") {
    date = value;
  } else if (name == "location") {
    location = value;
  } else if (name == "content-range") {
    range = parse_content_range(value);
  } else if (name == "content-encoding") {
    encoding = value == "identity" ? "" : value;
  } else if (name == "cache-control") {
    cache_control = value;
  }
}

std::string ResponseHead::strong_date() const {
  // "Thu, 01 Jan 2026 00:00:00 GMT"
  const auto parse = [](std::string_view text) {
    return text.ends_with(" GMT")
               ? base::parse_stamp(base::cat(text.substr(0, text.size() - 3), "+0000"))
               : std::nullopt;
  };
  const auto changed = parse(last_modified);
  const auto answered = parse(date);
  const bool strong = changed && answered && *changed + std::chrono::seconds(2) <= *answered;
  return strong ? last_modified : std::string();
}

std::string ResponseHead::strong_etag() const {
  const bool strong = etag.size() > 2 && etag.front() == '"' && etag.back() == '"' &&
                      std::none_of(etag.begin(), etag.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return strong ? etag : std::string();
}

}  // namespace io

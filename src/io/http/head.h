#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace io {

/// "bytes FIRST-LAST/TOTAL" of a 206 answer (RFC 9110 section 14.4); TOTAL may be unknown.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total;
};

std::optional<ContentRange> parse_content_range(std::string_view value);

/// What we look at in the head of an answer.
struct ResponseHead {
  long status = 0;
  std::optional<std::uint64_t> length;
  std::string fault;  ///< why the answer cannot be trusted to be whole; curl takes the last length
  std::string etag;   ///< as sent, quotes and all
  std::string last_modified;
  std::string date;
  std::string location;
  std::optional<ContentRange> range;
  std::string encoding;       ///< Content-Encoding, empty: none; else the length is not the file's
  std::string cache_control;  ///< as sent

  /// Takes one line of the head, with or without its line end. A status line starts anew: there is
  /// one head for each redirect, and for "100 Continue".
  void take_line(std::string_view line);

  /// last_modified if the answer was made at least two seconds later, else empty.
  std::string strong_date() const;

  /// The entity tag if it may be used to resume, else empty.
  std::string strong_etag() const;

 private:
  void take_field(std::string_view name, std::string_view value);
};

}  // namespace io

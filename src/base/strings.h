#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

namespace detail {

inline void append(std::string& out, std::string_view text) {
  out += text;
}

inline void append(std::string& out, char character) {
  out += character;
}

template <std::integral T>
void append(std::string& out, T value) {
  out += std::to_string(value);
}

}  // namespace detail

/// Concatenates strings, characters and integers.
template <typename... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

std::vector<std::string> split(std::string_view text, char separator);

/// Like split, but drops empty pieces and blanks around each piece: "a, b,,c" -> a b c.
std::vector<std::string> split_list(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string_view trim(std::string_view text);

std::string replace_all(std::string text, std::string_view from, std::string_view to);

std::string to_lower(std::string text);

/// Digits only, no sign, no blanks, no overflow; anything else is nullopt.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// "12", "200k", "4M", "200G", "1T" (powers of 1024, upper or lower case); nullopt otherwise.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// "612 MB" style, for messages only.
std::string human_bytes(std::uint64_t bytes);

/// Control characters, DEL and invalid UTF-8 bytes as \xNN, so that a message cannot drive a
/// terminal.
std::string escape_control(std::string_view text);

/// Removes user:password@ and ?query of every URL inside a text.
std::string redact_urls(std::string_view text);

/// A path as the path of a URL: everything but unreserved characters, "/" and ":" as %XX.
std::string percent_encode_path(std::string_view path);

std::string to_hex(std::string_view bytes);

bool is_hex(std::string_view text);

/// Whether text has the form of a SHA-256: 64 hexadecimal digits of either case.
bool is_sha256(std::string_view text);

bool valid_utf8(std::string_view text);

/// Takes the first character off a text, which is valid UTF-8 and not empty.
std::uint32_t take_code_point(std::string_view& text);

/// The candidate most like `word`, if any is near enough to be a slip of the finger.
std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& candidates);

}  // namespace base

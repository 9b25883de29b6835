#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace io {

/// A regular expression as Python's `re` reads it for text, as far as PCRE2 goes: searched
/// anywhere, by code point, \w, \d, \s and \b by Unicode. "$" is also before a final line end, \Z
/// is not.
class Regex {
 public:
  /// Error(usage) with the reason where `pattern` is none, or is not UTF-8, or holds what the two
  /// read differently.
  explicit Regex(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  /// Whether a part of `text` matches; bytes of a text that is not UTF-8 are a character each.
  /// Error(usage) where the search would take more steps, depth or memory than it may: the
  /// expression explodes.
  bool found_in(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace io

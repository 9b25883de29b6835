#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace io {

/// A compiled regular expression in PCRE2's syntax, over UTF-8 text and with Unicode's classes.
/// Of text that is not valid UTF-8 each byte is a character.
class Regex {
 public:
  /// Error(usage) "REASON at byte N" for what is no expression.
  explicit Regex(const std::string& pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  /// Whether it matches somewhere in the text, in polynomial time where the pattern has no
  /// back-reference. Error(usage) where another one takes more than a million steps, 16 MiB or
  /// 10,000 nested decisions: an expression that explodes is a mistake, whatever the text. Safe
  /// from several threads.
  bool search(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace io

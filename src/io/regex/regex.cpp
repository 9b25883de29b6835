#include "io/regex/regex.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/error.h"
#include "base/strings.h"

#include <pcre2.h>

namespace io {

namespace {

// A tenth of a second or so for the worst of expressions, and no stack.
constexpr std::uint32_t most_steps = 1'000'000;
constexpr std::uint32_t most_depth = 100'000;
constexpr std::uint32_t most_kibibytes = 64U << 10U;

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::Errc::usage, why);
}

std::string message(int code) {
  std::array<PCRE2_UCHAR, 200> text{};
  const auto length = pcre2_get_error_message(code, text.data(), text.size());
  return {text.begin(), text.begin() + std::max(length, 0)};
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());  // NOLINT: PCRE2's type
}

bool one_of(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

/// Writes Python's pattern as PCRE2's: \Z is \z there, and "]" first in a class needs no help.
/// Refuses what PCRE2 has and Python has not, or reads otherwise.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : rest_(pattern) {}

  std::string run() {
    while (!rest_.empty()) {
      if (rest_.front() == '\\') {
        escape();
      } else if (rest_.front() == '[') {
        character_class();
      } else if (one_of("*+?{", rest_.front())) {
        repeat();
      } else {
        open_group();
        take(1);
      }
    }
    return std::move(out_);
  }

 private:
  void take(std::size_t count) {
    count = std::min(count, rest_.size());
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }

  /// Python's escapes, all others of letters and digits are errors there.
  void escape() {
    const char next = rest_.size() > 1 ? rest_[1] : '\0';
    if (next == 'Z') {
      out_ += "\\z";
      rest_.remove_prefix(2);
      return;
    }
    const bool named = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '0';
    if (named && !one_of("AbBdDsSwWafnrtvx", next)) {
      refuse(base::cat("\\", next, " is not supported in regular expressions"));
    }
    // To Python two digits belong to it, always; to PCRE2 \v is any vertical space.
    if (next == 'x' && (rest_.size() < 4 || !is_hex(rest_[2]) || !is_hex(rest_[3]))) {
      refuse("\\x wants two hexadecimal digits");
    }
    if (next == 'v') {
      out_ += "\\x0b";
      rest_.remove_prefix(2);
      return;
    }
    take(2);
  }

  static bool is_hex(char c) { return one_of("0123456789abcdefABCDEF", c); }

  void character_class() {
    take(rest_.starts_with("[^") ? 2 : 1);
    if (rest_.starts_with("]")) {
      take(1);
    }
    while (!rest_.empty() && rest_.front() != ']') {
      if (rest_.starts_with("[:") || rest_.starts_with("[.") || rest_.starts_with("[=")) {
        refuse("named character classes are not supported");
      }
      if (rest_.front() == '\\') {
        escape();
      } else {
        take(1);
      }
    }
    take(1);
  }

  /// Python 3.11 knows possessive repeats and older ones refuse them: nobody's filters have them.
  void repeat() {
    const auto end = rest_.front() == '{' ? rest_.find('}') : 0;
    take(end == std::string_view::npos ? 1 : end + 1);
    if (rest_.starts_with("?")) {
      take(1);
    }
    if (!rest_.empty() && one_of("*+?{", rest_.front())) {
      refuse("a repeat is repeated");
    }
  }

  /// The kinds of group that Python has.
  void open_group() {
    if (rest_.starts_with("(*")) {
      refuse("nothing to repeat");
    }
    if (!rest_.starts_with("(?")) {
      return;
    }
    constexpr std::array<std::string_view, 8> kinds = {":", "=", "!", "<=", "<!", "P<", "P=", "#"};
    const auto kind = rest_.substr(2);
    if (!kind.starts_with("i)") && !kind.starts_with("s)") &&
        std::none_of(kinds.begin(), kinds.end(), [&](auto k) { return kind.starts_with(k); })) {
      refuse("this kind of group is not supported");
    }
    if ((kind.starts_with("i)") || kind.starts_with("s)")) && !out_.empty()) {
      refuse("flags stand at the start of an expression");
    }
    take(kind.starts_with("<") ? 3 : 2);
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

struct Regex::State {
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code{nullptr, &pcre2_code_free};
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> limits{
      pcre2_match_context_create(nullptr), &pcre2_match_context_free};
};

Regex::Regex(std::string_view pattern) : state_(std::make_unique<State>()) {
  if (!base::valid_utf8(pattern)) {
    refuse("not UTF-8");
  }
  const auto ours = Translation(pattern).run();
  int code = 0;
  PCRE2_SIZE at = 0;
  state_->code.reset(pcre2_compile(units(ours), ours.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at,
                                   nullptr));
  if (!state_->code) {
    refuse(message(code));
  }
  pcre2_set_match_limit(state_->limits.get(), most_steps);
  pcre2_set_depth_limit(state_->limits.get(), most_depth);
  pcre2_set_heap_limit(state_->limits.get(), most_kibibytes);
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

bool Regex::found_in(std::string_view text) const {
  std::string wide;
  if (!base::valid_utf8(text)) {  // each byte as the character of its number
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x80) {
        wide += static_cast<char>(0xC0U | byte >> 6U);
        wide += static_cast<char>(0x80U | (byte & 0x3FU));
      } else {
        wide += c;
      }
    }
    text = wide;
  }
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create(1, nullptr), &pcre2_match_data_free);
  const int code = pcre2_match(state_->code.get(), units(text), text.size(), 0, 0, match.get(),
                               state_->limits.get());
  if (code == PCRE2_ERROR_MATCHLIMIT) {
    // Without back-references the other algorithm needs polynomial time, and whether there is a
    // match at all is the same to both.
    std::vector<int> workspace(10'000);
    const int other =
        pcre2_dfa_match(state_->code.get(), units(text), text.size(), 0, PCRE2_DFA_SHORTEST,
                        match.get(), state_->limits.get(), workspace.data(), workspace.size());
    if (other >= 0 || other == PCRE2_ERROR_NOMATCH) {
      return other >= 0;
    }
  }
  if (code < 0 && code != PCRE2_ERROR_NOMATCH) {
    refuse(message(code));
  }
  return code >= 0;
}

}  // namespace io

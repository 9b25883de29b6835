#include "sstream/format/filter.h"

#include <algorithm>
#include <optional>
#include <regex>

#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::size_t longest_expression = 1000;
constexpr std::size_t longest_value = 4096;

[[noreturn]] void refuse(const std::string& expression, const std::string& why = {}) {
  throw base::Error(base::Errc::usage, base::cat("Unable to parse expression ", expression,
                                                 why.empty() ? "" : ": ", why));
}

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z') || byte == '_' || byte >= 0x80;
}

/// "|" only because the established tools' pattern for a key has it by accident.
bool is_key(char c) {
  return is_word(c) || c == '-' || c == '|';
}

/// Code points, so that "." is one character and a class may hold any. Invalid UTF-8: each byte.
std::wstring widen(std::string_view text) {
  std::wstring wide;
  const bool valid = base::valid_utf8(text);
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    std::size_t length = 1;
    std::uint32_t code = lead;
    if (valid && lead >= 0x80) {
      length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      code = lead & (0x7FU >> length);
      for (std::size_t i = 1; i < length; ++i) {
        code = code << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
      }
    }
    wide += static_cast<wchar_t>(code);
    at += length;
  }
  return wide;
}

/// Walks a pattern and refuses what the engine would take for something else than Python does:
/// unknown escapes (the bare letter), a repeated repeat (possessive to Python), "]" or a POSIX name
/// first in a class.
class SyntaxCheck {
 public:
  SyntaxCheck(const std::string& expression, std::string_view pattern)
      : expression_(&expression), pattern_(pattern) {}

  void run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        character_class();
      } else if (std::string_view("*+?{").find(c) != std::string_view::npos) {
        repeat();
      } else {
        ++at_;
        if (c == '(' && starts_with("?")) {
          ++at_;  // a group's kind, no repeat; the engine judges it
        }
      }
    }
  }

 private:
  bool starts_with(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  void escape() {
    const char next = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : '\0';
    const bool plain = !is_word(next) || next == '_' || static_cast<unsigned char>(next) >= 0x80;
    if (!plain && std::string_view("dDwWsSbBnrtfv123456789").find(next) == std::string_view::npos) {
      refuse(*expression_, base::cat("\\", next, " is not supported in regular expressions"));
    }
    at_ += 2;
  }

  void character_class() {
    ++at_;
    if (starts_with("^")) {
      ++at_;
    }
    if (starts_with("]")) {
      refuse(*expression_, "write ']' in a class as '\\]'");
    }
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (starts_with("[:") || starts_with("[.") || starts_with("[=")) {
        refuse(*expression_, "named character classes are not supported");
      }
      if (pattern_[at_] == '\\') {
        escape();
      } else {
        ++at_;
      }
    }
    ++at_;
  }

  void repeat() {
    at_ =
        pattern_[at_] == '{' ? std::min(pattern_.find('}', at_), pattern_.size() - 1) + 1 : at_ + 1;
    if (starts_with("?")) {
      ++at_;
    }
    if (starts_with("*") || starts_with("+") || starts_with("?") || starts_with("{")) {
      refuse(*expression_, "a repeat is repeated");
    }
  }

  const std::string* expression_;
  std::string_view pattern_;
  std::size_t at_ = 0;
};

std::wregex compile(const std::string& expression, std::string_view pattern) {
  using std::regex_constants::ECMAScript;
  auto flags = ECMAScript;
  if (pattern.starts_with("(?i)")) {
    flags |= std::regex_constants::icase;
    pattern.remove_prefix(4);
  }
  if (pattern.size() > longest_expression) {
    refuse(expression.substr(0, 60) + "...", "too long");
  }
  if (!base::valid_utf8(pattern)) {
    refuse(expression, "not UTF-8");
  }
  SyntaxCheck(expression, pattern).run();
  try {
    try {
      return std::wregex(widen(pattern), flags | std::regex_constants::__polynomial);
    } catch (const std::regex_error& error) {
      if (error.code() != std::regex_constants::error_complexity) {
        throw;
      }
      return std::wregex(widen(pattern), flags);  // back-references need the other engine
    }
  } catch (const std::regex_error& error) {
    refuse(expression, error.what());
  }
}

}  // namespace

struct Filter::State {
  std::string key;
  std::string value;
  bool negated = false;
  std::optional<std::wregex> regex;
};

Filter::Filter(const std::string& expression) : state_(std::make_unique<State>()) {
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    at = std::min(expression.find_first_not_of(' ', at), expression.size());
  };
  while (at < expression.size() && is_key(expression[at])) {
    ++at;
  }
  state_->key = expression.substr(0, at);
  skip_blanks();
  if (at < expression.size() && expression[at] == '!') {
    state_->negated = true;
    ++at;
  }
  if (state_->key.empty() || at == expression.size() ||
      (expression[at] != '=' && expression[at] != '~')) {
    refuse(expression);
  }
  const bool is_regex = expression[at] == '~';
  ++at;
  skip_blanks();
  state_->value = expression.substr(at);
  if (state_->value.ends_with('\n')) {
    state_->value.pop_back();
  }
  if (state_->value.find('\n') != std::string::npos) {
    refuse(expression);
  }
  if (is_regex) {
    state_->regex = compile(expression, state_->value);
  }
}

Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

const std::string& Filter::key() const {
  return state_->key;
}

bool Filter::matches(std::string_view value) const {
  if (!state_->regex) {
    return (value == state_->value) != state_->negated;
  }
  if (value.size() > longest_value) {
    throw base::Error(base::Errc::untrusted, base::cat(state_->key, ": a value of ", value.size(),
                                                       " bytes is too long to be searched"));
  }
  const auto found = [&](std::string_view text) {
    return std::regex_search(widen(text), *state_->regex);
  };
  // To Python "$" is also before a final line end.
  const bool hit =
      found(value) || (value.ends_with('\n') && found(value.substr(0, value.size() - 1)));
  return hit != state_->negated;
}

Filters::Filters(const std::vector<std::string>& expressions) {
  for (const auto& expression : expressions) {
    filters_.emplace_back(expression);
  }
}

bool Filters::matches(const Item& item) const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const Filter& filter) {
    return filter.matches(item.tag(filter.key()).value_or(""));
  });
}

bool Filters::matches(const Tags& tags) const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const Filter& filter) {
    const auto at = tags.find(filter.key());
    return filter.matches(at == tags.end() ? std::string() : at->second);
  });
}

}  // namespace sstream

#include "sstream/format/filter.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "io/regex/regex.h"

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

io::Regex compile(const std::string& expression, std::string_view pattern) {
  if (pattern.size() > longest_expression) {
    refuse(expression.substr(0, 60) + "...", "too long");
  }
  try {
    return io::Regex(pattern);
  } catch (const base::Error& error) {
    refuse(expression, error.what());
  }
}

}  // namespace

struct Filter::State {
  std::string key;
  std::string value;
  bool negated = false;
  std::optional<io::Regex> regex;
  std::string expression;
};

Filter::Filter(const std::string& expression) : state_(std::make_unique<State>()) {
  state_->expression = expression;
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
  try {
    return state_->regex->found_in(value) != state_->negated;
  } catch (const base::Error& error) {
    throw base::Error(base::Errc::usage, base::cat("Unable to apply expression ",
                                                   state_->expression, ": ", error.what()));
  }
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

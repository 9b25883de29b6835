#include "sstream/format/python_pattern.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

[[noreturn]] void refuse_pattern(const std::string& why) {
  throw base::Error(base::Errc::usage, why);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Walks the pattern once, and writes what PCRE2 is given.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : in_(pattern) {}

  std::string run() {
    while (at_ < in_.size()) {
      const auto length = repeat_length();
      if (length > 0) {
        repeat(length);
        continue;
      }
      before_ = std::exchange(last_, Last::item);
      switch (in_[at_]) {
        case '\\':
          escape(false);
          break;
        case '[':
          character_class();
          break;
        case '(':
          open();
          break;
        case ')':
          close();
          break;
        case '^':
        case '$':
          last_ = Last::anchor;
          copy(1);
          break;
        case '|':
          last_ = Last::nothing;
          copy(1);
          break;
        default:
          copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  enum class Last { nothing, anchor, item, repeat };

  bool follows(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  char peek(std::size_t ahead) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  void copy(std::size_t length) {
    out_ += in_.substr(at_, length);
    at_ += length;
  }

  void put(std::size_t length, std::string_view text) {
    out_ += text;
    at_ += length;
  }

  /// Of "*", "+", "?", "{2}", "{2,}", "{,3}" here; 0 where there is none: "{" alone is a letter.
  std::size_t repeat_length() const {
    if (at_ == in_.size() || std::string_view("*+?{").find(in_[at_]) == std::string_view::npos) {
      return 0;
    }
    if (in_[at_] != '{') {
      return 1;
    }
    std::size_t length = 1;
    while (is_digit(peek(length))) {
      ++length;
    }
    const bool counted = length > 1;
    if (peek(length) == ',') {
      ++length;
      while (is_digit(peek(length))) {
        ++length;
      }
    } else if (!counted) {
      return 0;
    }
    return peek(length) == '}' ? length + 1 : 0;
  }

  void repeat(std::size_t length) {
    if (last_ == Last::repeat) {
      refuse_pattern("a repeat is repeated");
    }
    if (last_ != Last::item) {
      refuse_pattern("there is nothing to repeat");
    }
    const bool from_zero = follows("{,");
    put(from_zero ? 2 : 0, from_zero ? "{0," : "");
    copy(length - (from_zero ? 2 : 0));
    if (follows("?") || follows("+")) {
      copy(1);
    }
    last_ = Last::repeat;
  }

  void escape(bool in_class) {
    const char next = peek(1);
    if (std::string_view("AZbB").find(next) != std::string_view::npos && next != '\0') {
      if (in_class && next != 'b') {
        refuse_pattern(base::cat("\\", next, " cannot be in a class"));
      }
      last_ = in_class ? Last::item : Last::anchor;
      put(2, next == 'Z' ? "\\z" : base::cat("\\", next));
    } else if (next == 'v') {
      put(2, "\\x0b");  // all vertical blanks, to PCRE2
    } else if (next == 'x' || next == 'u' || next == 'U') {
      number(next == 'x' ? 2 : next == 'u' ? 4 : 8);
    } else if (is_digit(next)) {
      if (in_class || next == '0' || is_digit(peek(2))) {
        refuse_pattern("of numbers, only references to the groups 1 to 9 are supported");
      }
      require_closed(std::string(1, next));
      copy(2);
    } else if (is_letter(next) &&
               std::string_view("adDnrstfSwW").find(next) == std::string_view::npos) {
      refuse_pattern(base::cat("\\", next, " is not supported in regular expressions"));
    } else if (next == '\0') {
      refuse_pattern("a backslash at the end");
    } else {
      copy(2);
    }
  }

  void number(std::size_t digits) {
    const auto text = in_.substr(std::min(at_ + 2, in_.size())).substr(0, digits);
    if (text.size() < digits || !std::all_of(text.begin(), text.end(), is_hex)) {
      refuse_pattern(base::cat("\\", peek(1), " wants ", digits, " hexadecimal digits"));
    }
    put(2 + digits, base::cat("\\x{", text, "}"));
  }

  void character_class() {
    copy(follows("[^") ? 2 : 1);
    for (bool first = true; first || !follows("]"); first = false) {
      if (at_ == in_.size()) {
        refuse_pattern("a class is not closed");
      }
      if (follows("[:") || follows("[.") || follows("[=")) {
        refuse_pattern("named character classes are not supported");
      }
      if (follows("\\")) {
        escape(true);
      } else {
        copy(1);
      }
    }
    copy(1);
    last_ = Last::item;
  }

  void open() {
    if (follows("(*")) {
      refuse_pattern("there is nothing to repeat");
    }
    if (follows("(?#")) {
      const auto end = in_.find(')', at_);
      if (end == std::string_view::npos) {
        refuse_pattern("a comment is not closed");
      }
      at_ = end + 1;
      last_ = before_;  // a repeat is of what stands before it
      return;
    }
    std::string name;
    if (!follows("(?")) {
      name = std::to_string(++groups_);
      copy(1);
    } else if (follows("(?P<")) {
      ++groups_;
      name = named(4, '>');
    } else if (follows("(?P=")) {
      require_closed(named(4, ')'));
      return;
    } else if (follows("(?(")) {
      require_closed(named(3, ')'));
    } else {
      kind();
      if (out_.ends_with(')')) {
        return;  // flags for all of it
      }
    }
    open_.push_back(name);
    numbers_.push_back(name.empty() || is_digit(name[0]) ? "" : std::to_string(groups_));
    last_ = Last::nothing;
  }

  /// Copies what opens a group up to `end`, and returns the name in it.
  std::string named(std::size_t begin, char end) {
    const auto to = in_.find(end, at_ + begin);
    const auto name =
        std::string(in_.substr(at_ + begin, to == std::string_view::npos ? 0 : to - at_ - begin));
    const bool conditional = begin == 3;
    if (name.empty() || (is_digit(name[0]) && !conditional)) {
      refuse_pattern("a group's name is missing");
    }
    if (conditional && !std::all_of(name.begin(), name.end(), is_digit)) {
      put(to + 1 - at_, base::cat("(?(<", name, ">)"));
    } else {
      copy(to + 1 - at_);
    }
    return name;
  }

  /// (?: (?= (?! (?<= (?<! (?> and flags: for all of it at the very start, or for a group.
  void kind() {
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
      if (follows(known)) {
        copy(known.size());
        return;
      }
    }
    auto end = at_ + 2;
    while (end < in_.size() && std::string_view("ims-").find(in_[end]) != std::string_view::npos) {
      ++end;
    }
    const bool whole = end < in_.size() && in_[end] == ')' && at_ == 0;
    const bool group = end < in_.size() && in_[end] == ':';
    const auto flags = in_.substr(at_ + 2, end - at_ - 2);
    if ((!whole && !group) || flags.empty() || flags.ends_with('-') ||
        (whole && flags.find('-') != std::string_view::npos)) {
      refuse_pattern(base::cat("'", in_.substr(at_, 4), "' opens no group that is supported"));
    }
    copy(end + 1 - at_);
    last_ = Last::nothing;
  }

  void close() {
    if (open_.empty()) {
      refuse_pattern("a ')' too many");
    }
    closed_.insert(open_.back());
    closed_.insert(numbers_.back());
    open_.pop_back();
    numbers_.pop_back();
    copy(1);
    last_ = Last::item;
  }

  /// PCRE2 would take a group that is open, or comes later.
  void require_closed(const std::string& group) const {
    if (closed_.count(group) == 0) {
      refuse_pattern(base::cat("no group '", group, "' ends before it is referred to"));
    }
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  Last last_ = Last::nothing;
  Last before_ = Last::nothing;
  unsigned groups_ = 0;
  std::vector<std::string> open_;     ///< name or number of each open group; empty: none
  std::vector<std::string> numbers_;  ///< the number of each that has a name
  std::set<std::string> closed_;
};

}  // namespace

std::string pcre_of(std::string_view pattern) {
  return Translation(pattern).run();
}

}  // namespace sstream

#include "io/json/scan.h"

#include <array>
#include <charconv>
#include <optional>

namespace io::detail {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes that stand for themselves inside a string, by value: not a quote, a backslash or a control
/// character.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < plain.size(); ++i) {
    plain[i] = i != '"' && i != '\\';
  }
  return plain;
}

constexpr auto plain = plain_bytes();

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, and whether it has a part behind the integer.
struct NumberForm {
  bool good = false;
  bool integer = true;
};

NumberForm form_of(std::string_view text) {
  NumberForm form;
  const auto digits = [&] {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end > 0;
  };
  const auto take = [&](std::string_view any) {
    const bool found = !text.empty() && any.find(text.front()) != std::string_view::npos;
    text.remove_prefix(found ? 1 : 0);
    return found;
  };
  take("-");
  if (!take("0") && !digits()) {
    return form;
  }
  if (take(".")) {
    form.integer = false;
    if (!digits()) {
      return form;
    }
  }
  if (take("eE")) {
    form.integer = false;
    take("+-");
    if (!digits()) {
      return form;
    }
  }
  form.good = text.empty();
  return form;
}

template <typename Number>
std::optional<Json> integer_of(std::string_view text) {
  Number value = 0;
  const auto* end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, value);
  return done.ec == std::errc() && done.ptr == end ? std::optional<Json>(value) : std::nullopt;
}

/// nullopt for what is no number, or none that JSON values can hold.
std::optional<Json> number_of(const std::string& text) {
  const auto form = form_of(text);
  if (!form.good) {
    return std::nullopt;
  }
  if (form.integer) {
    return text.front() == '-' ? integer_of<std::int64_t>(text) : integer_of<std::uint64_t>(text);
  }
  auto value = Json::parse(text, nullptr, false);  // rare, and nlohmann's rounding is the measure
  return value.is_discarded() ? std::nullopt : std::optional<Json>(std::move(value));
}

class Scanner {
 public:
  Scanner(ByteSource& source, JsonEvents& events, const JsonLimits& limits)
      : source_(&source), events_(&events), max_depth_(limits.max_depth) {}

  bool run() {
    if (!value()) {
      return false;
    }
    while (depth_ > 0) {
      if (!(frames_[depth_ - 1].is_object ? member() : element())) {
        return false;
      }
    }
    skip_blanks();
    return source_->at_end();
  }

 private:
  struct Frame {
    bool is_object = false;
    bool empty = true;
    KeySet keys;
  };

  void skip_blanks() {
    while (true) {
      const auto window = source_->window();
      std::size_t count = 0;
      while (count < window.size() && is_blank(window[count])) {
        ++count;
      }
      if (count > 0) {
        source_->skip(count);
      }
      if (count < window.size() || window.empty()) {
        return;
      }
    }
  }

  /// The next byte that is no blank, NUL at the end (no value starts with one).
  char peek() {
    skip_blanks();
    return source_->at_end() ? '\0' : source_->current();
  }

  bool take(char wanted) {
    if (peek() != wanted) {
      return false;
    }
    source_->skip(1);
    return true;
  }

  /// A value, or the opening bracket of one.
  bool value() {
    switch (const char first = peek(); first) {
      case '{':
      case '[':
        source_->skip(1);
        return open(first == '{');
      case '"':
        if (!string()) {
          return false;
        }
        // A copy: the tree's strings then take no more memory than they have to.
        events_->scalar(events_->wants_text() ? Json(token_) : Json());
        return true;
      case 't':
        return literal("true", true);
      case 'f':
        return literal("false", false);
      case 'n':
        return literal("null", nullptr);
      default:
        return number();
    }
  }

  /// The next member of an object, as far as value() reads it, or the end.
  bool member() {
    Frame& frame = frames_[depth_ - 1];
    if (peek() == '}') {
      source_->skip(1);
      --depth_;
      events_->end_object();
      return true;
    }
    if (!next_of(frame) || peek() != '"' || !string() || !frame.keys.insert(token_)) {
      return false;
    }
    events_->key(token_);
    return take(':') && value();
  }

  bool element() {
    Frame& frame = frames_[depth_ - 1];
    if (peek() == ']') {
      source_->skip(1);
      --depth_;
      events_->end_array();
      return true;
    }
    return next_of(frame) && value();
  }

  /// Past the comma, where there has to be one.
  bool next_of(Frame& frame) {
    const bool first = frame.empty;
    frame.empty = false;
    return first || take(',');
  }

  bool open(bool is_object) {
    if (depth_ == max_depth_) {
      return false;
    }
    if (depth_ == frames_.size()) {
      frames_.emplace_back();
    }
    Frame& frame = frames_[depth_++];  // reused: its buffers stay allocated
    frame.is_object = is_object;
    frame.empty = true;
    frame.keys.clear();
    is_object ? events_->start_object() : events_->start_array();
    return true;
  }

  template <typename Value>
  bool literal(std::string_view text, Value value) {
    for (const char wanted : text) {
      if (source_->at_end() || source_->current() != wanted) {
        return false;
      }
      source_->skip(1);
    }
    events_->scalar(Json(value));
    return true;
  }

  bool number() {
    token_.clear();
    while (!source_->at_end() &&
           (is_digit(source_->current()) ||
            std::string_view("+-.eE").find(source_->current()) != std::string_view::npos)) {
      token_ += source_->current();
      source_->skip(1);
    }
    auto value = token_.empty() ? std::nullopt : number_of(token_);
    if (!value) {
      return false;
    }
    events_->scalar(std::move(*value));
    return true;
  }

  /// A string into token_; its opening quote comes next.
  bool string() {
    token_.clear();
    source_->skip(1);
    bool ascii = true;
    while (!source_->at_end()) {
      const auto window = source_->window();
      std::size_t count = 0;
      unsigned char all = 0;
      while (count < window.size() && plain[static_cast<unsigned char>(window[count])]) {
        all |= static_cast<unsigned char>(window[count]);
        ++count;
      }
      token_.append(window.data(), count);
      ascii = ascii && all < 0x80;
      source_->skip(count);
      if (count == window.size()) {
        continue;
      }
      const char special = window[count];
      source_->skip(1);
      if (special == '"') {
        return ascii || base::valid_utf8(token_);
      }
      if (special != '\\' || !escape()) {
        return false;
      }
    }
    return false;
  }

  bool escape() {
    if (source_->at_end()) {
      return false;
    }
    const char kind = source_->current();
    source_->skip(1);
    if (kind == 'u') {
      return escaped_code();
    }
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto at = names.find(kind);
    if (at == std::string_view::npos) {
      return false;
    }
    token_ += meanings[at];
    return true;
  }

  bool escaped_code() {
    const auto first = code_unit();
    if (!first || (*first >= 0xDC00 && *first < 0xE000)) {
      return false;
    }
    if (*first < 0xD800 || *first >= 0xE000) {
      append_utf8(token_, *first);
      return true;
    }
    for (const char wanted : {'\\', 'u'}) {
      if (source_->at_end() || source_->current() != wanted) {
        return false;
      }
      source_->skip(1);
    }
    const auto second = code_unit();
    if (!second || *second < 0xDC00 || *second >= 0xE000) {
      return false;
    }
    append_utf8(token_, 0x10000U + ((*first - 0xD800U) << 10U) + (*second - 0xDC00U));
    return true;
  }

  std::optional<std::uint32_t> code_unit() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      if (source_->at_end()) {
        return std::nullopt;
      }
      const char c = source_->current();
      const auto lower = static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) {
        return std::nullopt;
      }
      code = code << 4U | static_cast<std::uint32_t>(is_digit(c) ? c - '0' : lower - 'a' + 10);
      source_->skip(1);
    }
    return code;
  }

  ByteSource* source_;
  JsonEvents* events_;
  unsigned max_depth_;
  std::vector<Frame> frames_;
  std::size_t depth_ = 0;
  std::string token_;
};

}  // namespace

bool scan_json(ByteSource& source, JsonEvents& events, const JsonLimits& limits) {
  return Scanner(source, events, limits).run();
}

}  // namespace io::detail

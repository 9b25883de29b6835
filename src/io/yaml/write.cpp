#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/error.h"
#include "base/strings.h"
#include "io/yaml/scalar.h"
#include "io/yaml/yaml.h"

namespace io {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// 2026-01-31, alone or with a time behind it: what PyYAML would make a date of.
bool looks_like_date(std::string_view text) {
  const auto parts = base::split(text.substr(0, text.find_first_of("Tt ")), '-');
  return parts.size() >= 3 && parts[0].size() == 4 && all_digits(parts[0]) &&
         all_digits(parts[1]) && parts[1].size() <= 2 && all_digits(parts[2]) &&
         parts[2].size() <= 2;
}

bool reads_as_text(const std::string& text) {
  static const std::array<std::string_view, 7> others = {"",     "~",  "null", "Null",
                                                         "NULL", "<<", "="};
  if (std::find(others.begin(), others.end(), text) != others.end() || looks_like_date(text)) {
    return false;
  }
  try {
    return resolve_plain_scalar(text).is_string();
  } catch (const std::range_error&) {
    return false;
  }
}

/// May `text` stand without quotes in block context?
bool fits_plain(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.starts_with("---") ||
      text.starts_with("...")) {
    return false;
  }
  if (std::string_view("#,[]{}&*!|>'\"%@`").find(text.front()) != std::string_view::npos) {
    return false;
  }
  const bool alone = text.size() == 1 || text[1] == ' ';
  if (std::string_view("?:-").find(text.front()) != std::string_view::npos && alone) {
    return false;
  }
  return text.find(": ") == std::string::npos && !text.ends_with(':') &&
         text.find(" #") == std::string::npos && reads_as_text(text);
}

class YamlWriter {
 public:
  explicit YamlWriter(std::string& out) : out_(&out) {}

  /// A value behind "key:" or "-"; `indent` is where its members would stand.
  void value(const Json& value, std::size_t indent, bool in_sequence) {
    if (value.is_object() && !value.empty()) {
      members(value, indent, in_sequence);
    } else if (value.is_array() && !value.empty()) {
      elements(value, in_sequence ? indent : indent - 2, in_sequence);
    } else {
      *out_ += ' ';
      scalar(value);
      *out_ += '\n';
    }
  }

  void document(const Json& value) {
    if (value.is_object() && !value.empty()) {
      members(value, 0, true);
    } else if (value.is_array() && !value.empty()) {
      elements(value, 0, true);
    } else {
      scalar(value);
      *out_ += value.is_structured() ? "\n" : "\n...\n";
    }
  }

 private:
  /// `inline_first`: the first member follows "- " on its line.
  void members(const Json& object, std::size_t indent, bool inline_first) {
    bool first = true;
    for (const auto& [key, value] : object.get_ref<const Json::object_t&>()) {
      start(indent, first, inline_first);
      first = false;
      text(key);
      *out_ += ':';
      this->value(value, indent + 2, false);
    }
  }

  void elements(const Json& array, std::size_t indent, bool inline_first) {
    bool first = true;
    for (const auto& value : array) {
      start(indent, first, inline_first);
      first = false;
      *out_ += '-';
      if (value.is_structured() && !value.empty()) {
        *out_ += ' ';
      }
      this->value(value, indent + 2, true);
    }
  }

  void start(std::size_t indent, bool first, bool inline_first) {
    if (first && inline_first) {
      return;
    }
    if (first) {
      *out_ += '\n';
    }
    out_->append(indent, ' ');
  }

  void scalar(const Json& value) {
    if (value.is_string()) {
      text(value.get_ref<const std::string&>());
    } else if (value.is_structured()) {
      *out_ += value.is_object() ? "{}" : "[]";
    } else {
      auto json = to_text(value);
      json.pop_back();  // the line end
      // To YAML 1.1 a float has a dot.
      if (const auto e = json.find('e');
          value.is_number_float() && json.find('.') == std::string::npos) {
        json.insert(std::min(e, json.size()), ".0");
      }
      *out_ += json;
    }
  }

  void text(const std::string& text) {
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!ascii) {
      quoted(text);
    } else if (fits_plain(text)) {
      *out_ += text;
    } else {
      *out_ += base::cat("'", base::replace_all(text, "'", "''"), "'");
    }
  }

  /// In double quotes, everything beyond printable ASCII escaped.
  void quoted(std::string_view text) {
    *out_ += '"';
    while (!text.empty()) {
      escaped(base::take_code_point(text));
    }
    *out_ += '"';
  }

  void escaped(std::uint32_t code) {
    constexpr std::string_view named = "\t\n\r\"\\";
    constexpr std::string_view names = "tnr\"\\";
    const auto at = code < 0x80 ? named.find(static_cast<char>(code)) : std::string_view::npos;
    if (at != std::string_view::npos) {
      *out_ += '\\';
      *out_ += names[at];
    } else if (code >= ' ' && code <= '~') {
      *out_ += static_cast<char>(code);
    } else {
      const unsigned digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
      *out_ += code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
      for (unsigned i = digits; i > 0; --i) {
        *out_ += "0123456789ABCDEF"[code >> (4 * (i - 1)) & 0xFU];
      }
    }
  }

  std::string* out_;
};

}  // namespace

std::string to_yaml(const Json& value) {
  to_text(value);  // refuses what is not UTF-8
  std::string out;
  YamlWriter(out).document(value);
  return out;
}

}  // namespace io

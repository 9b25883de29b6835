#include "sstream/query/python_text.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdint>
#include <cwctype>

#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::size_t page_width = 80;  // pprint's default

/// The code point at the start of `text` and the bytes it takes. Invalid UTF-8: one byte.
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text, bool valid) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (!valid || lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t code = lead & (0x7FU >> length);
  for (const char next : text.substr(1, length - 1)) {
    code = code << 6U | (static_cast<unsigned char>(next) & 0x3FU);
  }
  return {code, length};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Blanks and format characters, which print but not to Python.
constexpr std::array<Range, 17> not_printable = {{{0x80, 0xA0},
                                                  {0xAD, 0xAD},
                                                  {0x600, 0x605},
                                                  {0x61C, 0x61C},
                                                  {0x6DD, 0x6DD},
                                                  {0x70F, 0x70F},
                                                  {0x1680, 0x1680},
                                                  {0x180E, 0x180E},
                                                  {0x2000, 0x200F},
                                                  {0x2028, 0x202F},
                                                  {0x205F, 0x206F},
                                                  {0x3000, 0x3000},
                                                  {0xE000, 0xF8FF},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xFFF0, 0xFFFB},
                                                  {0xFFFE, 0xFFFF},
                                                  {0xE0000, 0x10FFFF}}};

/// Whatever the process's own locale is, the tables are those of Unicode.
bool is_print_in_unicode(std::uint32_t code) {
  static const locale_t unicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const auto character = static_cast<std::wint_t>(code);
  return (unicode != nullptr ? ::iswprint_l(character, unicode) : std::iswprint(character)) != 0;
}

bool is_printable(std::uint32_t code) {
  if (code < 0x80) {
    return code >= 0x20 && code < 0x7F;
  }
  const bool listed =
      std::any_of(not_printable.begin(), not_printable.end(),
                  [&](const Range& range) { return code >= range.first && code <= range.last; });
  return !listed && is_print_in_unicode(code);
}

void append_hex(std::string& out, std::uint32_t code, unsigned digits) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (unsigned i = digits; i > 0; --i) {
    out += hex[code >> (4 * (i - 1)) & 0xFU];
  }
}

void append_escaped(std::string& out, std::uint32_t code) {
  out += '\\';
  if (const auto at = std::string_view("\n\r\t").find(static_cast<char>(code));
      code < 0x80 && at != std::string_view::npos) {
    out += "nrt"[at];
  } else if (code < 0x100) {
    out += 'x';
    append_hex(out, code, 2);
  } else if (code < 0x10000) {
    out += 'u';
    append_hex(out, code, 4);
  } else {
    out += 'U';
    append_hex(out, code, 8);
  }
}

/// Printable ASCII without a backslash or a quote is its own repr.
bool is_simple(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '\\' && c != '\''; });
}

void append_repr(std::string& out, std::string_view text, bool ascii) {
  if (is_simple(text)) {
    out += '\'';
    out += text;
    out += '\'';
    return;
  }
  const bool apostrophe = text.find('\'') != std::string_view::npos;
  const char quote = apostrophe && text.find('"') == std::string_view::npos ? '"' : '\'';
  const bool valid = base::valid_utf8(text);
  out += quote;
  while (!text.empty()) {
    const auto [code, length] = code_point(text, valid);
    if (code == static_cast<unsigned char>(quote) || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (is_printable(code) && valid && (code < 0x80 || !ascii)) {
      out += text.substr(0, length);
    } else {
      append_escaped(out, code);
    }
    text.remove_prefix(length);
  }
  out += quote;
}

bool is_line_end(std::uint32_t code) {
  return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
         code == 0x2028 || code == 0x2029;
}

bool is_space(std::uint32_t code) {
  return is_line_end(code) || code == ' ' || code == '\t' || code == 0x1F || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

/// str.splitlines(True).
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  const bool valid = base::valid_utf8(text);
  std::size_t at = 0;
  while (at < text.size()) {
    const auto [code, length] = code_point(text.substr(at), valid);
    at += length;
    if (is_line_end(code)) {
      at += code == '\r' && text.substr(at).starts_with('\n') ? 1U : 0U;
      lines.push_back(text.substr(0, at));
      text.remove_prefix(at);
      at = 0;
    }
  }
  if (!text.empty()) {
    lines.push_back(text);
  }
  return lines;
}

/// Words, each with the blanks behind it: re.findall(r'\S*\s*').
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  const bool valid = base::valid_utf8(line);
  bool in_blanks = false;
  std::size_t at = 0;
  while (at < line.size()) {
    const auto [code, length] = code_point(line.substr(at), valid);
    const bool blank = is_space(code);
    if (in_blanks && !blank) {
      words.push_back(line.substr(0, at));
      line.remove_prefix(at);
      at = 0;
    }
    in_blanks = blank;
    at += length;
  }
  words.push_back(line);
  return words;
}

/// pprint's way with a string that is too long for its line: pieces at blanks, below each other.
/// `room` is left on a line, `end` of it taken by what follows the string.
std::vector<std::string> pieces_of(std::string_view text, std::size_t room, std::size_t end) {
  std::vector<std::string> pieces;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last_line = i + 1 == lines.size();
    auto whole = python_repr(lines[i]);
    if (python_length(whole) + (last_line ? end : 0) <= room) {
      pieces.push_back(std::move(whole));
      continue;
    }
    const auto words = words_of(lines[i]);
    std::string current;
    for (std::size_t j = 0; j < words.size(); ++j) {
      const auto candidate = base::cat(current, words[j]);
      const bool last = last_line && j + 1 == words.size();
      if (python_length(python_repr(candidate)) + (last ? end : 0) > room) {
        if (!current.empty()) {
          pieces.push_back(python_repr(current));
        }
        current = words[j];
      } else {
        current = candidate;
      }
    }
    if (!current.empty()) {
      pieces.push_back(python_repr(current));
    }
  }
  return pieces;
}

}  // namespace

std::string python_repr(std::string_view text) {
  std::string out;
  append_repr(out, text, false);
  return out;
}

void append_python_repr(std::string& out, std::string_view text) {
  append_repr(out, text, false);
}

std::string python_ascii(std::string_view text) {
  std::string out;
  append_repr(out, text, true);
  return out;
}

std::string python_dict(const Pairs& pairs) {
  std::string out = "{";
  for (const auto& [key, value] : pairs) {
    if (out.size() > 1) {
      out += ", ";
    }
    append_repr(out, key, false);
    out += ": ";
    append_repr(out, value, false);
  }
  return out + "}";
}

std::string python_pretty(Pairs pairs) {
  std::sort(pairs.begin(), pairs.end());
  auto line = python_dict(pairs);
  if (python_length(line) <= page_width) {
    return line;
  }
  std::string out = "{";
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [key, value] = pairs[i];
    const auto name = python_repr(key);
    const auto indent = 1 + python_length(name) + 2;
    const auto room = page_width > indent ? page_width - indent : 0;
    out += base::cat(i == 0 ? "" : ",\n ", name, ": ");
    auto whole = python_repr(value);
    if (python_length(whole) + 1 <= room || value.empty()) {
      out += whole;
      continue;
    }
    const auto pieces = pieces_of(value, room, 1);
    out += base::join(pieces, "\n" + std::string(indent, ' '));
  }
  return out + "}";
}

std::size_t python_length(std::string_view text) {
  if (!base::valid_utf8(text)) {
    return text.size();
  }
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace sstream

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace io {

namespace {

constexpr std::size_t piece_size = 65'536;

/// Lays a number out as Python's repr() does: the shortest digits that read back as the same
/// double, plain between 1e-4 and 1e16, with an exponent elsewhere.
std::string float_text(double value) {
  if (!std::isfinite(value)) {
    throw base::Error(base::Errc::internal, "JSON has no NaN and no infinity");
  }
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
          .ptr;
  const std::string_view all(text.data(), static_cast<std::size_t>(end - text.data()));
  const auto e = all.find('e');
  const int exponent = std::atoi(std::string(all.substr(e + 1)).c_str());  // NOLINT: digits of ours
  if (exponent < -4 || exponent >= 16) {
    return std::string(all);
  }
  const std::string sign = std::signbit(value) ? "-" : "";
  const auto mantissa = all.substr(sign.size(), e - sign.size());
  std::string digits = base::replace_all(std::string(mantissa), ".", "");
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  }
  return sign + digits.insert(whole, 1, '.');
}

void append_unit(std::string& out, std::uint32_t code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    out += digits[code >> shift & 0xFU];
  }
}

void append_code(std::string& out, std::uint32_t code) {
  if (code >= 0x10000) {
    code -= 0x10000;
    append_unit(out, 0xD800U + (code >> 10U));
    append_unit(out, 0xDC00U + (code & 0x3FFU));
  } else {
    append_unit(out, code);
  }
}

void append_character(std::string& out, std::uint32_t code) {
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  const auto at = code < 0x80 ? escaped.find(static_cast<char>(code)) : std::string_view::npos;
  if (at == std::string_view::npos) {
    append_code(out, code);
  } else {
    out += '\\';
    out += "\"\\bfnrt"[at];
  }
}

/// Stands for itself in a JSON text of ASCII.
bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

class Writer {
 public:
  explicit Writer(const Sink& sink, std::size_t depth = 0) : sink_(&sink), depth_(depth) {
    out_.reserve(depth == 0 ? piece_size + 1024 : 1024);
  }

  void value(const Json& value) {
    switch (value.type()) {
      case Json::value_t::object:
        container("{}", value.get_ref<const Json::object_t&>(), [this](const auto& member) {
          append_json_string(member.first, out_);
          out_ += ": ";
          this->value(member.second);
        });
        break;
      case Json::value_t::array:
        container("[]", value.get_ref<const Json::array_t&>(),
                  [this](const auto& element) { this->value(element); });
        break;
      case Json::value_t::string:
        append_json_string(value.get_ref<const std::string&>(), out_);
        break;
      case Json::value_t::number_float:
        out_ += float_text(value.get<double>());
        break;
      case Json::value_t::number_integer:
        integer(value.get<Json::number_integer_t>());
        break;
      case Json::value_t::number_unsigned:
        integer(value.get<Json::number_unsigned_t>());
        break;
      case Json::value_t::boolean:
      case Json::value_t::null:
        out_ += value.dump();
        break;
      default:
        throw base::Error(base::Errc::internal, "write JSON: a value of no JSON type");
    }
    flush(piece_size);
  }

  void finish(std::string_view end) {
    out_ += end;
    flush(1);
  }

 private:
  void flush(std::size_t at_least) {
    if (out_.size() >= at_least) {
      (*sink_)(out_);
      out_.clear();
    }
  }

  void new_line() {
    out_ += '\n';
    out_.append(depth_, ' ');
  }

  template <typename Entries, typename Write>
  void container(const char* brackets, const Entries& entries, const Write& write) {
    if (entries.empty()) {
      out_ += brackets;
      return;
    }
    ++depth_;
    char before = brackets[0];
    for (const auto& entry : entries) {
      out_ += before;
      before = ',';
      new_line();
      write(entry);
    }
    --depth_;
    new_line();
    out_ += brackets[1];
  }

  template <typename Integer>
  void integer(Integer value) {
    std::array<char, 24> text{};
    out_.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }

  const Sink* sink_;
  std::string out_;
  std::size_t depth_;
};

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  bool checked = false;
  while (!text.empty()) {
    const auto special = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    out += text.substr(0, special);
    text.remove_prefix(special);
    if (text.empty()) {
      break;
    }
    if (!checked && !base::valid_utf8(text)) {
      throw base::Error(base::Errc::untrusted, base::cat("write JSON: not valid UTF-8: \"",
                                                         base::escape_control(text), "\""));
    }
    checked = true;
    append_character(out, base::take_code_point(text));
  }
  out += '"';
}

void write_json(const Json& value, const Sink& sink) {
  Writer writer(sink);
  writer.value(value);
  writer.finish("\n");
}

void append_json(const Json& value, std::size_t depth, std::string& out) {
  const Sink sink = [&](std::string_view piece) { out += piece; };
  Writer writer(sink, depth);
  writer.value(value);
  writer.finish("");
}

std::string to_text(const Json& value) {
  std::string text;
  write_json(value, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace io

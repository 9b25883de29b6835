#include "sstream/lint/text.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace sstream::lint {

namespace {

constexpr std::size_t buffer_size = 262'144;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_foreign(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

bool any_foreign(std::string_view bytes) {
  unsigned char all = 0;
  for (const char c : bytes) {
    all |= static_cast<unsigned char>(c);
  }
  return all >= 0x80;
}

/// The text of one line, as far as one buffer holds it.
std::string line_of(base::File& file, std::uint64_t wanted) {
  std::vector<char> buffer(buffer_size);
  std::uint64_t line = 1;
  std::uint64_t at = 0;
  while (const auto got = file.read_at(buffer, at)) {
    std::string_view text(buffer.data(), got);
    at += got;
    while (line < wanted && !text.empty()) {
      const auto end = text.find('\n');
      line += end == std::string_view::npos ? 0 : 1;
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (line == wanted && !text.empty()) {
      return std::string(text.substr(0, text.find('\n')));
    }
  }
  return {};
}

bool is_no_number(const std::string& line) {
  return line.find("NaN") != std::string::npos || line.find("Infinity") != std::string::npos;
}

}  // namespace

void report_text(base::File& file, const std::string& name, Report& report) {
  bool mark = false;
  std::uint64_t foreign = 0;
  std::uint64_t line = 1;  // of the first foreign byte
  std::vector<char> buffer(buffer_size);
  std::uint64_t at = 0;
  while (const auto got = file.read_at(buffer, at)) {
    const std::string_view text(buffer.data(), got);
    mark = mark || (at == 0 && text.starts_with(byte_order_mark));
    const auto* first =
        any_foreign(text) ? std::find_if(text.begin(), text.end(), is_foreign) : text.end();
    if (foreign == 0) {
      line += static_cast<std::uint64_t>(std::count(text.begin(), first, '\n'));
    }
    foreign += static_cast<std::uint64_t>(std::count_if(first, text.end(), is_foreign));
    at += got;
  }
  if (mark) {
    report.add(engine::json_bom, {name, {}}, "begins with a byte order mark", all_profiles, 1);
    foreign -= byte_order_mark.size();
  }
  if (foreign > 0) {
    report.add(engine::json_ascii, {name, {}},
               base::cat(foreign, " bytes are not ASCII; \\u escapes say the same"), all_profiles,
               line);
  }
}

void report_syntax(const base::Error& error, base::File& file, const std::string& name,
                   Report& report) {
  // "NAME:LINE:COLUMN: /pointer: reason", as io::visit_json() promises.
  std::string text = error.what();
  std::uint64_t line = 0;
  if (text.starts_with(file.name() + ":")) {
    text.erase(0, file.name().size() + 1);
    line = base::parse_decimal(std::string_view(text).substr(0, text.find(':'))).value_or(0);
  }
  auto rule = engine::json_syntax;
  if (text.ends_with("byte order mark")) {
    return;  // report_text() says so
  }
  if (text.ends_with("duplicate key")) {
    rule = engine::json_duplicate_key;
  } else if (text.ends_with("number out of range") || text.ends_with("integer beyond 64 bits") ||
             (line > 0 && is_no_number(line_of(file, line)))) {
    rule = engine::json_number;
  }
  report.add(rule, {name, {}}, std::move(text), all_profiles, line);
}

}  // namespace sstream::lint

#include "meph2/installer/listing.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"

namespace meph2::installer {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t date_length = 8;

std::optional<unsigned> hex_digit(char digit) {
  const std::string_view digits = "0123456789abcdef";
  const auto at = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(digit))));
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

/// Of a link: %XX and what HTML needs for "&".
std::string decode_link(std::string_view link) {
  const auto text = base::replace_all(std::string(link), "&amp;", "&");
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (low) {
      decoded += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

void take_directory(std::string name, std::set<std::string>& names) {
  if (name.starts_with("./")) {
    name.erase(0, 2);
  }
  if (name.ends_with('/')) {
    name.pop_back();
  }
  if (name.find('/') == std::string::npos && base::unsafe_path_reason(name) == nullptr) {
    names.insert(std::move(name));
  }
}

void take_links(std::string_view html, std::set<std::string>& names) {
  constexpr std::string_view attribute = "href=";
  const auto lower = base::to_lower(std::string(html));
  for (auto at = lower.find(attribute); at != std::string::npos; at = lower.find(attribute, at)) {
    at += attribute.size();
    const char quote = at < html.size() ? html[at] : '\0';
    const auto end = quote == '"' || quote == '\'' ? html.find(quote, at + 1) : std::string::npos;
    if (end == std::string_view::npos) {
      continue;
    }
    const auto link = html.substr(at + 1, end - at - 1);
    if (link.ends_with('/')) {
      take_directory(decode_link(link), names);
    }
    at = end;
  }
}

[[noreturn]] void refuse(const std::string& name, std::size_t line, std::string_view reason) {
  throw base::Error(base::Errc::untrusted, base::cat(name, ":", line, ": ", reason));
}

}  // namespace

std::vector<std::string> parse_directories(std::string_view text) {
  std::set<std::string> names;
  if (text.find('<') != std::string_view::npos) {
    take_links(text, names);
  } else {
    for (const auto& line : base::split_list(text, '\n')) {
      take_directory(line, names);
    }
  }
  return {names.begin(), names.end()};
}

bool is_version_name(std::string_view name) {
  const auto date = name.substr(0, date_length);
  if (name.size() > longest_name || date.size() < date_length || !date.starts_with("20") ||
      !base::parse_decimal(date)) {
    return false;
  }
  const auto month = base::parse_decimal(date.substr(4, 2)).value_or(0);
  const auto day = base::parse_decimal(date.substr(6, 2)).value_or(0);
  const auto rest = name.substr(date_length);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
         (rest.empty() || std::isdigit(static_cast<unsigned char>(rest[0])) == 0) &&
         std::ranges::all_of(rest, [](char character) {
           return std::isalnum(static_cast<unsigned char>(character)) != 0 ||
                  std::string_view(".+~-").find(character) != std::string_view::npos;
         });
}

std::map<std::string, std::string> parse_sums(std::string_view text, io::Algorithm algorithm,
                                              const std::string& name) {
  const std::size_t digest_length = io::digest_hex(algorithm, "").size();
  std::map<std::string, std::string> sums;
  std::size_t number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    if (base::trim(line).empty()) {
      continue;
    }
    const auto digest = line.substr(0, digest_length);
    if (digest.size() < digest_length || !base::is_hex(digest) || line.size() < digest_length + 3 ||
        line[digest_length] != ' ' ||
        std::string_view(" *").find(line[digest_length + 1]) == std::string_view::npos) {
      refuse(name, number, "expected a digest, two blanks and a path");
    }
    auto path = line.substr(digest_length + 2);
    if (path.starts_with("./")) {
      path.erase(0, 2);
    }
    if (const auto* reason = base::unsafe_path_reason(path)) {
      refuse(name, number, base::cat("'", base::escape_control(path), "': ", reason));
    }
    const auto lower = base::to_lower(digest);
    if (sums.try_emplace(path, lower).first->second != lower) {
      refuse(name, number, base::cat(path, " is listed already, with another digest"));
    }
  }
  return sums;
}

}  // namespace meph2::installer

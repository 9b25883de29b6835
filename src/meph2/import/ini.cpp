#include "meph2/import/ini.h"

#include "base/error.h"
#include "base/strings.h"

namespace meph2::import {

std::vector<IniSection> parse_ini(std::string_view text, const std::string& name) {
  std::vector<IniSection> sections;
  std::string* value = nullptr;
  std::size_t number = 0;
  const auto reject = [&](const char* reason) {
    throw base::Error(base::Errc::untrusted, base::cat(name, ":", number, ": ", reason));
  };
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    const auto words = base::trim(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') {
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (value == nullptr) {
        reject("goes on with a value, but there is none before it");
      }
      *value += base::cat("\n", words);
    } else if (words.front() == '[') {
      if (words.back() != ']') {
        reject("'[SECTION]' expected");
      }
      sections.push_back({std::string(base::trim(words.substr(1, words.size() - 2))), {}});
      value = nullptr;
    } else {
      const auto equals = words.find('=');
      if (equals == std::string_view::npos || sections.empty()) {
        reject("'KEY=VALUE' in a section expected");
      }
      const auto [entry, added] = sections.back().values.emplace(
          base::trim(words.substr(0, equals)), base::trim(words.substr(equals + 1)));
      if (!added) {
        reject("the key comes twice in its section");
      }
      value = &entry->second;
    }
  }
  return sections;
}

}  // namespace meph2::import

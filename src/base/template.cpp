#include "base/template.h"

#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace base {

namespace {

[[noreturn]] void bad_template(const std::string& text, const std::string& reason) {
  throw Error(Errc::usage, cat("the template '", text, "': ", reason));
}

/// `at` stands behind the %; moves it behind the conversion.
std::string conversion(const std::string& text, std::size_t& at,
                       const std::map<std::string, std::string>& variables,
                       const std::optional<std::string>& unset) {
  if (at < text.size() && text[at] == '%') {
    ++at;
    return "%";
  }
  const auto close = text.find(')', at);
  if (at >= text.size() || text[at] != '(' || close == std::string::npos ||
      close + 1 >= text.size() || text[close + 1] != 's') {
    bad_template(text, "expected %(NAME)s or %% behind each %");
  }
  const auto name = text.substr(at + 1, close - at - 1);
  const auto found = variables.find(name);
  at = close + 2;
  if (found == variables.end() && unset) {
    return *unset;
  }
  if (found == variables.end()) {
    std::vector<std::string> names;
    for (const auto& [known, value] : variables) {
      names.push_back(known);
    }
    bad_template(text, cat("unknown variable '", name, "'; there are ", join(names, ", ")));
  }
  return found->second;
}

}  // namespace

std::string expand_template(const std::string& text,
                            const std::map<std::string, std::string>& variables,
                            const std::optional<std::string>& unset) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '%') {
      ++at;
      out += conversion(text, at, variables, unset);
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace base

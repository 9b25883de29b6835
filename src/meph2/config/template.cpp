#include "base/error.h"
#include "base/strings.h"
#include "meph2/config/stream_config.h"

namespace meph2 {

namespace {

[[noreturn]] void bad_template(const std::string& text, const std::string& reason) {
  throw base::Error(base::Errc::usage, base::cat("the template '", text, "': ", reason));
}

/// `at` stands behind the %; moves it behind the conversion.
std::string conversion(const std::string& text, std::size_t& at,
                       const std::map<std::string, std::string>& variables) {
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
  if (found == variables.end()) {
    std::vector<std::string> names;
    for (const auto& [known, value] : variables) {
      names.push_back(known);
    }
    bad_template(text,
                 base::cat("unknown variable '", name, "'; there are ", base::join(names, ", ")));
  }
  at = close + 2;
  return found->second;
}

}  // namespace

std::string expand_template(const std::string& text,
                            const std::map<std::string, std::string>& variables) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '%') {
      ++at;
      out += conversion(text, at, variables);
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace meph2

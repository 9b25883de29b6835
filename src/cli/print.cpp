#include "cli/print.h"

#include "base/strings.h"
#include "sstream/repository/context.h"

namespace cli {

void print_json(const io::Json& json, const sstream::Context& context) {
  print_text(io::to_text(json), context);
}

void print_text(const std::string& text, const sstream::Context& context) {
  context.print(text.substr(0, text.size() - 1));
}

void print_lines(const std::vector<std::string>& lines, const sstream::Context& context) {
  for (const auto& line : lines) {
    context.print(base::escape_control(line));
  }
}

}  // namespace cli

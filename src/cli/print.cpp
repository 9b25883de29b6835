#include "cli/print.h"

#include <iostream>

#include "base/strings.h"

namespace cli {

void print_json(const io::Json& json) {
  print_text(io::to_text(json));
}

void print_text(std::string_view text) {
  std::cout << text;
}

void print_line(const std::string& line) {
  std::cout << line << '\n';
}

void print_lines(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    print_line(base::escape_control(line));
  }
}

}  // namespace cli

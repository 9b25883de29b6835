#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/json/json.h"

/// What goes to stdout: results, and nothing else.
namespace cli {

/// A document.
void print_json(const io::Json& json);

/// Text that ends in a newline, as it is.
void print_text(std::string_view text);

/// A line, as it is.
void print_line(const std::string& line);

/// A line each, control characters escaped.
void print_lines(const std::vector<std::string>& lines);

}  // namespace cli

#pragma once

#include <string>
#include <vector>

#include "io/json/json.h"

namespace sstream {
struct Context;
}

namespace cli {

/// A document to stdout.
void print_json(const io::Json& json, const sstream::Context& context);

/// Text that ends in a newline, as it is.
void print_text(const std::string& text, const sstream::Context& context);

/// A line of stdout each, control characters escaped.
void print_lines(const std::vector<std::string>& lines, const sstream::Context& context);

}  // namespace cli

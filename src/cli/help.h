#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace cli {

/// A heading with its entries below, each text in a column of its own beside its label; nothing
/// where there are none. No line is longer than 80 characters if its words permit, and none but the
/// first of an entry begins with "-": such lines are options.
std::string help_section(const std::string& heading, const std::vector<HelpEntry>& entries);

/// A paragraph whose further lines begin below `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent = 0);

}  // namespace cli

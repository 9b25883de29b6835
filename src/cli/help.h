#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace cli {

/// `head`, and beside it `text` in a column of its own; no line is longer than 80 characters if its
/// words permit, and none but the first begins with "-": such lines are options.
std::string help_entry(const HelpEntry& entry);

/// A heading with its entries below; nothing where there are none.
std::string help_section(const std::string& heading, const std::vector<HelpEntry>& entries);

/// A paragraph whose further lines begin below `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent = 0);

}  // namespace cli

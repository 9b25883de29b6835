#include "cli/help.h"

#include "base/strings.h"

namespace cli {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t column = 30;

/// Words with those that begin with "-" glued to the one before.
std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces;
  for (const auto& word : base::split(text, ' ')) {
    if (word.starts_with("-") && !pieces.empty()) {
      pieces.back() += base::cat(" ", word);
    } else {
      pieces.push_back(word);
    }
  }
  return pieces;
}

/// `text` behind `line`, its further lines indented.
std::string filled(std::string line, const std::string& text, std::size_t indent) {
  std::string out;
  bool begun = false;
  for (const auto& piece : pieces_of(text)) {
    if (begun && line.size() + 1 + piece.size() > width) {
      out += base::cat(line, "\n");
      line.assign(indent, ' ');
      begun = false;
    }
    line += begun ? base::cat(" ", piece) : piece;
    begun = true;
  }
  return base::cat(out, line, "\n");
}

std::string help_entry(const HelpEntry& entry) {
  // A long option stands below the long one of "-l, --label".
  auto line = base::cat(entry.label.starts_with("--") ? "      " : "  ", entry.label);
  if (line.size() + 2 > column) {
    return base::cat(line, "\n", filled(std::string(column, ' '), entry.text, column));
  }
  line.resize(column, ' ');
  return filled(std::move(line), entry.text, column);
}

}  // namespace

std::string wrapped(const std::string& text, std::size_t indent) {
  return filled("", text, indent);
}

std::string help_section(const std::string& heading, const std::vector<HelpEntry>& entries) {
  if (entries.empty()) {
    return {};
  }
  auto out = base::cat("\n", heading, ":\n");
  for (const auto& entry : entries) {
    out += help_entry(entry);
  }
  return out;
}

}  // namespace cli

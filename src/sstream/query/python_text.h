#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sstream {

/// Names and values in the order in which they are shown.
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// A text as Python's repr() shows it: in quotes, with what cannot be printed escaped. What is
/// printable beyond ASCII follows the C library's tables, and so may differ in the newest
/// characters.
std::string python_repr(std::string_view text);

void append_python_repr(std::string& out, std::string_view text);

/// ascii(): the same with everything beyond ASCII escaped.
std::string python_ascii(std::string_view text);

/// repr() of a dict.
std::string python_dict(const Pairs& pairs);

/// pprint.pformat() of a dict of strings: sorted, 80 columns.
std::string python_pretty(Pairs pairs);

/// Code points, as len() counts them; bytes where the text is not UTF-8.
std::size_t python_length(std::string_view text);

}  // namespace sstream

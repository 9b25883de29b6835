#pragma once

#include <string>
#include <string_view>

namespace sstream {

/// A regular expression of Python's `re` (docs/format.md 2.5) as PCRE2 spells it. What only one of
/// them knows, and what both know as different things, is Error(usage) with the reason: verbs,
/// recursion, named classes, \N, \Q, octal numbers, the flags a, L, u and x; a repeated repeat; a
/// reference to a group that is not closed yet.
std::string pcre_of(std::string_view pattern);

}  // namespace sstream

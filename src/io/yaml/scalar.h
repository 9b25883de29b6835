#pragma once

#include <string>
#include <string_view>

#include "io/json/json.h"

namespace io {

/// A plain scalar as YAML 1.1 (PyYAML's resolver) reads it: bool, integer, float, else string.
/// Dates stay strings. Throws std::range_error with the reason for numbers that JSON cannot hold.
Json resolve_plain_scalar(std::string_view text);

}  // namespace io

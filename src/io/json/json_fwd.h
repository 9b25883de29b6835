#pragma once

#include <nlohmann/json_fwd.hpp>

namespace io {

/// A JSON value. Headers that only name it take this one; io/json/json.h has it whole, which costs
/// a source half of its compile time.
using Json = nlohmann::json;

}  // namespace io

#pragma once

#include "io/json/json.h"
#include "io/json/source.h"

namespace io::detail {

/// Reads one document and tells `events` of it: strict JSON (RFC 8259) with the checks that
/// parse_json() promises. Several times as fast as nlohmann's lexer, because it says nothing about
/// what is wrong: false where the document is refused, for whatever reason, with `source` somewhere
/// behind that place. What `events` throws passes through.
bool scan_json(ByteSource& source, JsonEvents& events, const JsonLimits& limits);

}  // namespace io::detail

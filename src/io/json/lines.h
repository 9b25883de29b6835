#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/fs/file.h"

namespace io {

/// The lines (from 1) of what these JSON pointers (RFC 6901) lead to: of the key of a member, of
/// the start of an element. What is not there is left out. One pass, in a few buffers of memory;
/// Error(untrusted) as visit_json().
std::map<std::string, std::uint64_t> lines_of(const base::File& file,
                                              const std::vector<std::string>& pointers);

}  // namespace io

#pragma once

#include <chrono>
#include <string>

#include "sstream/repository/context.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// Where a mirror writes down which of its files its metadata names no longer, since when: a list
/// of orphans, for the janitor.
std::string unlisted_files(const std::string& repository);

/// To be called after a publication: puts on that list what the generation before named and the
/// live one does not. Returns the number of files added.
std::size_t record_unlisted(const Repository& repository, const Context& context);

/// Whether a file has been on the list for so long.
bool unlisted_for(const std::string& repository, std::chrono::seconds grace,
                  const Context& context);

}  // namespace sstream

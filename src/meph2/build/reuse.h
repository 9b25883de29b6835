#pragma once

#include <optional>
#include <string>

#include "meph2/build/made_image.h"

namespace meph2 {

/// The files that a build would make again, byte for byte: those of the newest version of all
/// products of the plan that was built from just what it would take now, and whose files are in
/// place, read and found right. Nothing where there is none, and where anything at all is unknown.
/// Asks the archives, and the builder for its version, only where all else is equal.
std::optional<MadeImage> find_reusable(const std::string& repository, const std::string& content_id,
                                       CurrentInputs& current, const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <vector>

#include "meph2/import/import_config.h"
#include "meph2/import/workshop.h"

namespace meph2::import {

/// A release notification as a version of its stream (docs/format.md 4.6); nothing where the newest
/// one published says the same.
std::vector<NewVersion> import_notification(const ImportConfig& config, Workshop& workshop);

}  // namespace meph2::import

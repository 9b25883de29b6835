#pragma once

#include "cli/program.h"

namespace cli {

/// The options of meph2-import, which is also called meph2-util import.
Action declare_import(CLI::App& app);

}  // namespace cli

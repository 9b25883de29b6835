#pragma once

#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/host_files.h"
#include "meph2/image/steps/stage_input.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// The program that a kernel pack names: a path, or a name that is in PATH, beside the running
/// program, or in bin/ of the source tree that it was built in. Absolute; Error(usage) where there
/// is none.
std::string find_kihelper(const std::string& name);

/// Runs the program of the host on the kernel and the initrd of a place, with ROOT (the
/// merged tree, read-only) and VERSION_FLAVOR (the kernel's release) in its environment
/// (docs/format.md 4.3).
io::Json run_kihelper(const KihelperInput& input, const HostFiles& files,
                      const StageOutput& output);

}  // namespace meph2::image

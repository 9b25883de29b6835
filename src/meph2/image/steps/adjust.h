#pragma once

#include <string>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/chroot.h"
#include "meph2/image/steps/stage_input.h"

namespace meph2::image {

/// Puts `true` in the place of programs, whether they are installed yet or not.
void divert_programs(const Chroot& chroot, const std::vector<std::string>& paths);

/// Adds the proposed pocket as a source of packages where it is wanted.
void enable_proposed(const ImageRoot& root, const Proposed& proposed);

/// Changes the root that gets published: repositories, packages to purge, add, take from proposed,
/// and a kernel. What the work itself left behind is removed again. Returns the archives that
/// packages came from, and the versions of what was added.
io::Json adjust(const Chroot& chroot, const AdjustInput& input);

}  // namespace meph2::image

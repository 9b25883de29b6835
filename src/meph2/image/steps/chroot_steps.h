#pragma once

#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/stage_input.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// The host's /etc/resolv.conf, to be read before the host's root goes away.
std::string read_resolver();

/// The stages that work inside an image with dpkg.
using ChrootInput = std::variant<AdjustInput, PrepareInput, KernelInput>;

/// `resolver`: what is there as /etc/resolv.conf meanwhile. `out`: directory for a kernel's files.
io::Json run_chroot_stage(const ChrootInput& input, const std::string& resolver, int out,
                          const StageOutput& output);

/// Makes a squashfs of the merged tree with the host's tools.
io::Json pack_merged_tree(const SquashInput& input, const StageOutput& output);

}  // namespace meph2::image

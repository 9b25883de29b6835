#pragma once

#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/sandbox/stage_socket.h"
#include "meph2/image/steps/host_files.h"
#include "meph2/image/steps/stage_input.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// The stages that work inside an image with dpkg.
using ChrootInput = std::variant<AdjustInput, PrepareInput, KernelInput>;

/// `resolver`: what is there as /etc/resolv.conf meanwhile. A kernel's files go out by `socket`.
io::Json run_chroot_stage(const ChrootInput& input, const std::string& resolver,
                          StageSocket& socket, const StageOutput& output);

/// Makes a squashfs of the merged tree with the host's tools.
io::Json pack_merged_tree(const SquashInput& input, const HostFiles& files,
                          const StageOutput& output);

}  // namespace meph2::image

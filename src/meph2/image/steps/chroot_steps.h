#pragma once

#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/stage_input.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// What a stage takes from the host before the host's root goes away.
struct HostFiles {
  std::string resolv_conf;
};

HostFiles read_host_files();

/// The stages that work inside an image with dpkg.
using ChrootInput = std::variant<AdjustInput, PrepareInput, KernelInput>;

/// `out`: directory for a kernel's files.
io::Json run_chroot_stage(const ChrootInput& input, const HostFiles& host, int out,
                          const StageOutput& output);

/// Makes a squashfs of the merged tree with the host's tools.
io::Json pack_merged_tree(const SquashInput& input, const StageOutput& output);

}  // namespace meph2::image

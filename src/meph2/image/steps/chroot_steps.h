#pragma once

#include <string>

#include "io/json/json.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// What a stage takes from the host before the host's root goes away.
struct HostFiles {
  std::string resolv_conf;
};

HostFiles read_host_files();

/// The stages that work inside the image: `adjust`, `prepare`, `kernel`. `out`: directory for a
/// kernel's files.
io::Json run_chroot_stage(const std::string& kind, const io::Json& input, const HostFiles& host,
                          int out, const StageOutput& output);

/// The stage `squash`: makes a squashfs of the merged tree with the host's tools.
io::Json pack_merged_tree(const io::Json& input, const StageOutput& output);

}  // namespace meph2::image

#pragma once

#include "io/json/json.h"
#include "meph2/image/steps/chroot_steps.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// The stage `rpm`, in an image whose packages are RPMs: installs `packages` (names or URLs), one
/// by one, because what one brings may be a repository for the next. `base_mirror` and
/// `epel_mirror`, if not empty, take the place of the projects' own servers meanwhile. What the
/// work needed is removed again. Returns `{"packages": [...]}`, a line for each installed package.
io::Json install_rpms(const io::Json& input, const HostFiles& host, const StageOutput& output);

/// A yum repository's file as it is while packages are installed from these mirrors: without lists
/// of mirrors, with `baseurl`. Files of other repositories stay as they are.
std::string with_mirrors(const std::string& repository, const std::string& base_mirror,
                         const std::string& epel_mirror);

/// The stage `tar`: packs the merged tree as the .tar.gz `output` with the host's tar.
io::Json tar_merged_tree(const io::Json& input, const StageOutput& output);

}  // namespace meph2::image

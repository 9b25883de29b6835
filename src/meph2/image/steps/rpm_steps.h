#pragma once

#include "io/json/json_fwd.h"
#include "meph2/image/steps/host_files.h"
#include "meph2/image/steps/stage_input.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// In an image whose packages are RPMs: installs one after the other, because what one brings may
/// be a repository for the next. What the work needed is removed again. Returns `{"packages":
/// [...]}`, a line for each installed package.
io::Json install_rpms(const RpmInput& input, const std::string& resolver,
                      const StageOutput& output);

/// A yum repository's file as it is while packages are installed from these mirrors: without lists
/// of mirrors, with `baseurl`. Files of other repositories stay as they are.
std::string with_mirrors(const std::string& repository, const std::string& base_mirror,
                         const std::string& epel_mirror);

/// Packs the merged tree with the host's tar.
io::Json tar_merged_tree(const HostFiles& files, const StageOutput& output);

}  // namespace meph2::image

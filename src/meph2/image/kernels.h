#pragma once

#include <vector>

#include "meph2/image/build.h"
#include "meph2/image/recipe.h"
#include "meph2/image/site.h"

namespace meph2::image {

/// Packs kernels, several at once, and leaves a copy of their files for each row that wants them.
/// `start` is a job on the root that they are put into, `root` what that root is known by. Returns
/// what became of each work, in their order.
std::vector<PackedKernel> pack_kernels(const std::vector<KernelWork>& works, const Recipe& recipe,
                                       const KnownRoot& root, StageJob start, Site& site);

}  // namespace meph2::image

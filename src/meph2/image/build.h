#pragma once

#include <string>
#include <vector>

#include "meph2/image/options.h"
#include "sstream/repository/context.h"

namespace meph2::image {

/// What became of one kernel.
struct PackedKernel {
  std::string package;
  std::string version;
};

struct BuildResult {
  std::vector<std::string> files;  ///< written, in the order in which they appeared
  std::vector<PackedKernel> kernels;
};

/// Builds an image: squashfs, root image, manifest and kernel packs of one source
/// (docs/architecture.md, "Building an image"). Outputs appear whole, each under its name, only
/// once all of them are made; the manifest comes last. Needs root where something has to be
/// mounted. options.report and options.logs are written whether it succeeds or not.
BuildResult make_image(const BuildOptions& options, const sstream::Context& context);

}  // namespace meph2::image

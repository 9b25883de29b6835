#pragma once

#include <vector>

#include "meph2/import/import_config.h"
#include "meph2/import/workshop.h"

namespace meph2::import {

/// Builds images with packer-maas: `make clean` and `make all` in the directory of each template,
/// with CURTIN_HOOKS, MANIFEST and KS_MIRROR in the environment, and takes NAME.tar.gz (root-tgz)
/// or NAME.dd.gz (root-dd.gz) from there, with the manifest (docs/format.md 4.6). Nothing where a
/// version published has the same manifest. A dry run builds nothing: it tells what would be built.
std::vector<NewVersion> import_packer(const ImportConfig& config, Workshop& workshop);

}  // namespace meph2::import

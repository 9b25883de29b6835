#pragma once

#include <string>

#include "meph2/image/steps/chroot.h"

namespace meph2::image {

/// The kernel that `package`, or what it depends on, owns;
/// the nearest one, one that is signed before one that is not. Error(failed) where there is none.
KernelFile find_kernel(const Chroot& chroot, const std::string& package);

/// A device tree of that kernel by its name, or the end of its path ("vendor/board.dtb"), which
/// may leave out ".dtb".
/// Error(failed) where there is none.
std::string find_device_tree(const ImageRoot& root, const std::string& version,
                             const std::string& name);

/// The choice that find_kernel makes, of kernels in order of nearness.
KernelFile choose_kernel(const std::vector<KernelFile>& found);

}  // namespace meph2::image

#pragma once

#include <string>
#include <vector>

#include "sstream/repository/context.h"

namespace meph2::import {

/// What is put into a root file system before it is packed.
struct RootChanges {
  std::vector<std::string> packages;  ///< installed with the image's dnf or yum, in this order
  std::string base_mirror;            ///< see image::install_rpms()
  std::string epel_mirror;
  std::string curtin_files;  ///< directory whose files become /curtin, executable; empty: none

  bool any() const { return !packages.empty() || !curtin_files.empty(); }
};

/// Packs the root file system in a qcow2 image (plain or compressed; a disk or a bare file system)
/// as the .tar.gz `output`, with numeric owners, ACLs and extended attributes. `room` is a
/// directory for what is made on the way. ext, xfs and btrfs are mounted, read-only, in a mount
/// namespace that ends with the work. Error(failed) without root; Error(untrusted) for what is no
/// such image.
/// Changes go into a layer above it, by stages as those of image::make_image(): the image itself
/// stays as it is. Returns a line "NAME<TAB>VERSION" for each package of a root that packages were
/// installed in. The program has to know image::stage_option.
std::vector<std::string> pack_root(const std::string& image, const std::string& output,
                                   const std::string& room, const std::string& arch,
                                   const RootChanges& changes, const sstream::Context& context);

}  // namespace meph2::import

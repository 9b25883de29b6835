#pragma once

#include <string>

#include "sstream/context.h"

namespace meph2::import {

/// Packs the root file system in a qcow2 image (plain or compressed; a disk or a bare file system)
/// as the .tar.gz `output`, with numeric owners, ACLs and extended attributes. `room` is a
/// directory for what is made on the way. ext, xfs and btrfs are mounted, read-only, in a mount
/// namespace that ends with the work. Error(failed) without root; Error(untrusted) for what is no
/// such image.
void pack_root(const std::string& image, const std::string& output, const std::string& room,
               const std::string& arch, const sstream::Context& context);

}  // namespace meph2::import

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fs/file.h"

namespace meph2::image {

/// A file system in layers, below one scratch directory that is also the working directory: names
/// are relative to it.
struct Layers {
  std::string base_file;                 ///< squashfs or file system image, mounted read-only
  std::string base_type = "squashfs";    ///< or ext4, xfs, btrfs
  std::uint64_t base_offset = 0;         ///< of the partition within the file
  std::uint64_t base_size = 0;           ///< 0: up to the end
  std::vector<std::string> lowers = {};  ///< upper directories of earlier layers, topmost first
  bool devices = true;                   ///< whether device nodes of the base have to be there
  std::string upper = {};  ///< directory that holds `upper` and `work`; empty: read-only
};

/// Makes the directories of the layer that `layers` is to fill, for root of the image's ids. To be
/// called outside, in `scratch`.
void make_upper(const Layers& layers, const std::string& scratch);

/// Mounts layers in a sandbox. A squashfs through squashfuse_ll, or unpacked where FUSE may not be
/// used; other file systems by the kernel, which root alone may, with their ids mapped.
class LayerMounts {
 public:
  explicit LayerMounts(Layers layers) : layers_(std::move(layers)) {}

  /// Before there is a sandbox, and by one thread: another file system than a squashfs is mounted
  /// in a mount namespace of our own.
  void prepare();

  /// SandboxWork::outside.
  void map_ids(pid_t inside) const;

  /// SandboxWork::open.
  void open();

  /// SandboxWork::mount. The merged tree is at `root` below the working directory, which is
  /// another one from now on.
  void mount();

 private:
  void mount_base() const;
  void mount_unpacked() const;

  Layers layers_;
  base::File base_file_;
  base::UniqueFd mounted_;  ///< what prepare() mounted, at no place
  base::UniqueFd fuse_;
  base::File unpacked_;
  std::vector<base::File> lowers_;
  base::File upper_;
};

}  // namespace meph2::image

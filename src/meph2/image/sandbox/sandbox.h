#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace meph2::image {

/// A file system in layers, all below one scratch directory that is also the working directory:
/// names are relative to it.
struct Layers {
  std::string base_file;                 ///< squashfs or file system image, mounted read-only
  std::string base_type = "squashfs";    ///< or ext4, xfs, btrfs
  std::uint64_t base_offset = 0;         ///< of the partition within the file
  std::uint64_t base_size = 0;           ///< 0: up to the end
  std::vector<std::string> lowers = {};  ///< upper directories of earlier layers, topmost first
  bool devices = true;                   ///< whether device nodes of the base have to be there
  std::string upper = {};  ///< directory that holds `upper` and `work`; empty: read-only
};

/// Runs `body` as the first process of new mount, pid, ipc and uts (and network, unless `network`)
/// namespaces and returns its exit status. When this process ends, however it ends, so do all
/// processes in there, and with them every mount: nothing has to be cleaned up. Call it in a
/// process with one thread.
int run_in_namespaces(bool network, const std::function<int()>& body);

/// Within the namespaces: mounts the layers; the merged tree is at `root` below the working
/// directory (directories `base` and `root` exist).
void mount_layers(const Layers& layers);

/// Makes the merged tree the root directory: with /proc, /sys (read-only), a small /dev and a fresh
/// /run; the old root is gone. Capabilities that packages need not have are dropped for good from
/// whatever is executed.
void enter_root();

/// Packages that are installed as root may still not change the kernel that runs us: takes these
/// rights for good from whatever is executed. (enter_root() does it.)
void drop_capabilities();

/// A file that packages see while they are installed, and that the layer does not get: `content` is
/// bound over `path` (made, and removed at the end, where there is none).
class SuppliedFile {
 public:
  SuppliedFile(std::string path, const std::string& content, unsigned mode);
  SuppliedFile(const SuppliedFile&) = delete;
  SuppliedFile& operator=(const SuppliedFile&) = delete;
  ~SuppliedFile();

 private:
  std::string path_;
  bool made_ = false;
  bool bound_ = false;
};

}  // namespace meph2::image

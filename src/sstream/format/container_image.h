#pragma once

#include <array>
#include <string_view>

namespace sstream {

/// LXD and Incus know an image by a fingerprint over two items of a version: the sha256 of the
/// metadata and the root file system one after the other, which the metadata item holds under a key
/// that belongs to the root's ftype (simplestreams/products.go in both).
struct ContainerRoot {
  const char* ftype;
  std::array<const char*, 2> keys;  ///< the second, if any, is an older name of the first
};

inline constexpr std::array<ContainerRoot, 5> container_roots = {{
    {"squashfs", {"combined_squashfs_sha256", nullptr}},
    {"root.tar.xz", {"combined_rootxz_sha256", "combined_sha256"}},
    {"disk-kvm.img", {"combined_disk-kvm-img_sha256", nullptr}},
    {"disk1.img", {"combined_disk1-img_sha256", nullptr}},
    {"uefi1.img", {"combined_uefi1-img_sha256", nullptr}},
}};

/// What one of the two reads.
struct ContainerReader {
  std::string_view metadata;
  std::string_view unified;
};

inline constexpr ContainerReader lxd_reader = {"lxd.tar.xz", "lxd_combined.tar.gz"};
inline constexpr ContainerReader incus_reader = {"incus.tar.xz", "incus_combined.tar.gz"};

}  // namespace sstream

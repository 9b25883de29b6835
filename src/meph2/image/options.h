#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meph2::image {

/// One kernel to pack: `PKG,KERNEL,INITRD[,--dtb=NAME=FILE][,--kihelper=PROG]`
/// (docs/format.md 4.3).
struct KernelPack {
  std::string package;
  std::string kernel;  ///< where the kernel goes
  std::string initrd;  ///< where the initrd goes
  /// Name of a device tree as the package has it, and where it goes.
  std::vector<std::pair<std::string, std::string>> dtbs;
  std::string kihelper;  ///< program run on kernel and initrd before they are handed over
};

/// Throws Error(usage).
KernelPack parse_kernel_pack(std::string_view text);

/// What `maas-cloudimg2eph2` is asked for.
struct BuildOptions {
  std::string format = "auto";
  bool proposed = false;
  std::vector<std::string> proposed_packages;
  std::vector<std::string> pre_purge_packages;
  bool gzip = true;      ///< write the root image
  bool squashfs = true;  ///< write the squashfs
  std::string kernel = "none";
  std::string arch;
  std::string manifest;                          ///< path, empty: none
  std::string source;                            ///< path or URL
  std::string root_image;                        ///< path; the squashfs goes beside it
  std::optional<std::uint64_t> root_image_size;  ///< bytes; absent: usual_root_image_size
  std::vector<KernelPack> packs;
  unsigned jobs = 0;                                           ///< 0: one per core
  std::chrono::seconds stage_timeout = std::chrono::hours(2);  ///< 0: as long as it takes
  std::string compression;  ///< of a squashfs that is made; empty: as the release needs
  std::string conf;         ///< file of release needs; empty: the installed one
  unsigned verbose = 0;
  std::string stages;  ///< directory where finished stages are kept; empty: nowhere
  bool resume = true;  ///< whether stages that are kept there are taken
  std::string report;  ///< file that is told what was done; empty: none
  std::string logs;    ///< directory for the stages' logs until the build is complete; empty: none
  /// Repositories and packages to add ($M2E_ADD_REPOS, $M2E_ADD_PACKAGES).
  std::vector<std::string> add_repositories;
  std::vector<std::string> add_packages;

  /// Whether the published root differs from the source's.
  bool adjusts() const;

  /// Whether file systems have to be mounted for it.
  bool mounts() const;
};

/// Throws Error(usage) for combinations that make no sense.
void check_options(const BuildOptions& options);

}  // namespace meph2::image

#pragma once

#include <string>
#include <vector>

#include "io/json/json.h"
#include "meph2/config/distro_info.h"
#include "meph2/config/stream_config.h"
#include "sstream/staging/staging.h"

namespace meph2 {

/// One image to build, as a user or a source stream names it.
struct BuildRequest {
  std::string arch;
  std::string release;             ///< codename
  std::string version_name;        ///< the name the version gets in the stream, "20240501"
  std::string image_format;        ///< empty: the builder finds out
  bool proposed = false;           ///< on top of the configuration's enable_proposed
  std::string proposed_packages;   ///< replaces the configuration's, when given
  std::string pre_purge_packages;  ///< likewise
};

/// The files that one kernel package gives; paths below the stream's root.
struct PlannedKernel {
  std::string kpackage;
  std::string kernel;
  std::string initrd;
  std::string dtb_name;  ///< empty: none
  std::string dtb;
  std::string kihelper;  ///< empty: none
};

/// What a product gets: its tags, and its items in the order of the configuration.
struct PlannedProduct {
  std::string name;
  io::Json tags;  ///< arch, label, os, release, subarch, ...
  std::vector<std::pair<std::string, io::Json>>
      items;      ///< ftype, path, kpackage; no size or digest yet
  KernelRow row;  ///< that it is made of
};

/// What a build makes and how: pure, and the same every time (docs/format.md 4.1, 4.2).
struct BuildPlan {
  std::string arch;
  std::string release;
  std::string version_name;
  std::vector<PlannedProduct> products;
  std::vector<std::string> paths;                 ///< of all items that are built, each once
  std::vector<sstream::NewFile> installer_files;  ///< and those of the di-* items (InstallerItems)
  std::string root_image;                         ///< where the builder writes it, wanted or not
  std::string manifest;
  bool want_squashfs = false;
  bool want_root_image = false;
  bool proposed = false;  ///< packages come from the -proposed pocket, too
  std::vector<PlannedKernel> packs;
  std::vector<std::string> flags;  ///< for the builder: --format, --proposed...
  std::string builtin_kernel;      ///< or "none"

  /// "noble/amd64/20240501".
  std::string name() const { return release + "/" + arch + "/" + version_name; }
};

/// Error(usage) for a release, arch or version name that cannot be, and for two rows that make one
/// product. `info` is nullptr where distro-info does not know the release: the title is then the
/// version.
BuildPlan plan_build(const StreamConfig& config, const BuildRequest& request,
                     const DistroRelease* info);

/// The command line of the builder (docs/format.md 4.3): `program` SOURCE, with all outputs below
/// `out`.
std::vector<std::string> builder_command(const BuildPlan& plan, const std::string& program,
                                         unsigned verbosity, const std::string& source,
                                         const std::string& out);

}  // namespace meph2

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace meph2 {

/// One row of `kernels` (docs/format.md 4.4): a kernel package of one arch, and the product it
/// makes.
struct KernelRow {
  std::string krel;  ///< the release the kernel is from; differs from the image's for HWE rows
  std::string arch;
  std::string subarch;  ///< without the flavor
  std::string flavor;
  std::string kpackage;
  std::vector<std::string> subarches;
  std::string suffix;    ///< appended to the names of the boot files
  std::string kihelper;  ///< empty: none
  std::string dtb;       ///< empty: none
  std::string di_format = "default";
  std::string where;  ///< "FILE:LINE:COLUMN" of the row, for messages
};

struct ReleaseConfig {
  std::string version;   ///< "24.04"
  std::string codename;  ///< "noble": the key `release`
  std::vector<KernelRow> kernels;

  std::set<std::string> arches() const;

  /// What the builder gets as --kernel: the package built into the image of `arch`, or "none".
  std::string builtin_kernel(const std::string& arch) const;

  std::optional<std::string> builtin_any;          ///< builtin_kernel given as a string
  std::map<std::string, std::string> builtin_for;  ///< given by arch, with "default"
};

/// What a stream is built from: meph-v3.yaml and its like. The keys after `kname` are ours,
/// optional, and default to what the established tools do for Ubuntu.
struct StreamConfig {
  std::string file;
  std::vector<ReleaseConfig> releases;  ///< in file order
  std::string content_id;
  std::string product_id_pre;
  std::string kname = "%(krel)s";  ///< %-template over the build variables
  std::string default_target;
  bool squashfs = false;
  bool root_image = true;  ///< without the key: the opposite of squashfs
  bool enable_di = false;
  bool enable_proposed = false;
  std::string proposed_packages;   ///< comma separated
  std::string pre_purge_packages;  ///< comma separated

  std::string os = "ubuntu";
  std::string distro_info = "ubuntu.csv";  ///< a file of the package distro-info-data
  std::string squashfs_compression;        ///< for the builder; empty: its own choice
  std::string root_image_size;             ///< for the builder ("1400M"); empty: its own choice
  std::string default_source;
  std::vector<std::string> source_content_ids;
  std::string source_product_prefix;  ///< only products that begin so are images to build from

  /// The archives that have the debian-installer, by arch, and "default" for the others: URLs above
  /// dists/, of one content.
  std::map<std::string, std::vector<std::string>> di_mirrors;
  std::string di_keyring;               ///< that these are signed by
  std::vector<std::string> di_pockets;  ///< "", "-updates": what follows the release in a suite

  /// Empty: none is known for this arch.
  std::vector<std::string> di_mirrors_of(const std::string& arch) const;

  /// nullptr where there is none.
  const ReleaseConfig* release(const std::string& codename) const;

  /// Error(usage) that lists what is supported.
  const ReleaseConfig& require_release(const std::string& codename) const;
  void require_arch(const ReleaseConfig& release, const std::string& arch) const;
};

/// Error(usage) "FILE:LINE:COLUMN: KEY: what was expected" for anything unknown, missing, of the
/// wrong type, repeated, or unfit for a path or a package name.
StreamConfig parse_stream_config(std::string_view text, const std::string& name);
StreamConfig read_stream_config(const std::string& path);

/// Where the debian-installer of config.os is and whose keys sign it, as far as that is known: of
/// Ubuntu and Debian.
void set_installer_defaults(StreamConfig& config);

/// A variable of the environment; empty where it is not set.
std::string environment(const char* name);

/// A file of the configuration that comes with the programs: $MEPH2_CONF_DIR, else conf/ of the
/// source tree that the running program was built in, else share/meph2/conf beside its bin/. The
/// path where it should be when it is in none of them.
std::string shipped_config(const std::string& name);

/// $MEPH2_CONFIG_YAML, else the shipped meph-v2.yaml (docs/format.md 4.4).
std::string default_config_path();

}  // namespace meph2

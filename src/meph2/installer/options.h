#pragma once

#include <string>
#include <vector>

#include "meph2/config/stream_config.h"
#include "meph2/installer/archive.h"

namespace meph2 {

/// What the user said about the archive that the debian-installer's files come from.
struct InstallerOptions {
  std::vector<std::string> mirrors;  ///< --di-mirror; empty: the configuration's, by arch
  std::string keyring;               ///< --di-keyring; empty: the configuration's
  bool no_verify = false;            ///< --di-no-verify
  bool allow_md5 = false;            ///< --di-allow-md5
};

/// The archive for an arch: the options, and the configuration for what they do not say.
installer::ArchiveOptions archive_options(const StreamConfig& config,
                                          const InstallerOptions& options, const std::string& arch);

/// The suites to look into, as what follows a release's name.
std::vector<std::string> installer_pockets(const StreamConfig& config, bool proposed);

}  // namespace meph2

#include "meph2/installer/options.h"

#include <algorithm>

namespace meph2 {

installer::ArchiveOptions archive_options(const StreamConfig& config,
                                          const InstallerOptions& options,
                                          const std::string& arch) {
  installer::ArchiveOptions archive;
  archive.mirrors = options.mirrors.empty() ? config.di_mirrors_of(arch) : options.mirrors;
  archive.keyring = options.keyring.empty() ? config.di_keyring : options.keyring;
  archive.verify = !options.no_verify;
  archive.allow_md5 = options.allow_md5;
  return archive;
}

std::vector<std::string> installer_pockets(const StreamConfig& config, bool proposed) {
  auto pockets = config.di_pockets;
  const std::string name = "-proposed";
  if (proposed && std::ranges::find(pockets, name) == pockets.end()) {
    pockets.push_back(name);
  }
  return pockets;
}

}  // namespace meph2

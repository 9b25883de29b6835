#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "meph2/import/import_config.h"
#include "meph2/import/workshop.h"

namespace meph2::import {

/// Ready-made files, to become a version of an image that MAAS deploys as it is.
/// Where nothing is said, the version is the release, and the title is os and release.
struct ArtefactOptions : DeployedImage {
  std::vector<std::pair<std::string, std::string>> files;  ///< item and ftype ("root-tgz") -> file
  std::string label = "candidate";
  std::string serial;      ///< name of the version; empty: the next YYYYMMDD_NN
  std::string content_id;  ///< empty: com.ubuntu.maas:candidate:OS-bases-download
  std::string product_id;  ///< empty: com.ubuntu.maas.candidate:OS-bases:VERSION:ARCH
  std::map<std::string, std::string> tags;  ///< further ones of the product
};

/// Nothing where the newest version published has the same files. Without a manifest among the
/// files one is made: the packages that dpkg in the root file system knows, else os and version.
/// Error(usage) for what cannot be published so, Error(untrusted) for a root-tgz that is no tar of
/// a root file system.
std::vector<NewVersion> import_artefact(const ArtefactOptions& options, Workshop& workshop);

/// "root-tgz=FILE" -> item and file. Error(usage) for another form.
std::pair<std::string, std::string> parse_artefact(const std::string& text);

}  // namespace meph2::import

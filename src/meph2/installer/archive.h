#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meph2/config/stream_config.h"
#include "meph2/installer/image_path.h"
#include "sstream/format/checksums.h"
#include "sstream/repository/context.h"
#include "sstream/staging/staging.h"

namespace meph2::installer {

/// An archive to read. What is empty here the configuration may say (archive_options()).
struct ArchiveOptions {
  std::vector<std::string> mirrors;  ///< URLs above dists/, of one content: tried in turn
  std::string keyring;               ///< by whose keys lists of digests are signed
  bool no_verify = false;
  bool allow_md5 = false;  ///< where there is no SHA256SUMS
};

/// The archive for an arch: the options, and the configuration for what they do not say.
ArchiveOptions archive_options(const StreamConfig& config, ArchiveOptions options,
                               const std::string& arch);

/// The suites to look into, as what follows a release's name.
std::vector<std::string> pockets_of(const StreamConfig& config, bool proposed);

/// A file of a version that boots something.
struct VersionFile {
  ImageFile what;
  std::string path;         ///< below the mirror: "dists/xenial/main/installer-amd64/..."
  sstream::Checksums sums;  ///< size 0: not asked for yet (InstallerArchive::find_sizes())

  /// The last part of the path.
  std::string name() const;
};

/// One directory of installer-ARCH/.
struct InstallerVersion {
  std::string name;
  std::string pocket;    ///< "", "-updates"
  bool current = false;  ///< what `current` of its pocket is
  std::vector<VersionFile> files;
};

/// Reads dists/SUITE/main/installer-ARCH/ of a package archive. Nothing is believed that is not
/// signed: a list of digests is named in the suite's InRelease, or has a detached signature beside
/// it (SHA256SUMS.gpg).
class InstallerArchive {
 public:
  /// Error(usage) without a mirror or a needed keyring, Error(untrusted) for one that is none.
  InstallerArchive(ArchiveOptions options, const sstream::Context& context);
  InstallerArchive(const InstallerArchive&) = delete;
  InstallerArchive& operator=(const InstallerArchive&) = delete;
  ~InstallerArchive();

  /// The versions for an arch in the suites RELEASE+POCKET, the newest first, as Debian orders
  /// versions. They are found in InRelease, else in the server's index of the directory, else in a
  /// file LISTING there with a name on each line. What a suite lacks is logged, and no failure.
  /// Error(untrusted) where a list has no good signature or is not what was signed.
  std::vector<InstallerVersion> versions(const ImageTree& tree, const std::string& arch,
                                         const std::vector<std::string>& pockets) const;

  /// Asks the server for the sizes of files that have none. Lists of digests do not say them.
  void find_sizes(const std::vector<VersionFile*>& files) const;

  /// The file as a publication, or a build, brings it in.
  sstream::NewFile new_file(const VersionFile& file, const std::string& path) const;

 private:
  class Reading;

  ArchiveOptions options_;
  const sstream::Context& context_;
  std::unique_ptr<Reading> reading_;
};

}  // namespace meph2::installer

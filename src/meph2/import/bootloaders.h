#pragma once

#include <string>
#include <vector>

#include "meph2/import/archive_memory.h"
#include "meph2/import/import_config.h"
#include "meph2/import/workshop.h"

namespace meph2::import {

/// Brings bootloaders from archives of Debian packages into a stream (docs/format.md 4.6).
class BootloaderImport {
 public:
  /// `keyring`: of the archives; empty: the configuration's, else Ubuntu's own.
  BootloaderImport(const ImportConfig& config, const std::string& keyring, Workshop& workshop);

  /// The versions that the archives have and the stream has not. Error(not_found) naming a package
  /// that none of the archives has, or a pattern that nothing matches.
  std::vector<NewVersion> run();

  /// What was seen of the archives, for the next run.
  void save() const;

 private:
  struct Resolved {
    apt::ArchivePackage package;
    const apt::AptArchive* archive = nullptr;
  };

  /// An item in the making: the files of the packages of one source.
  struct Parts {
    std::vector<std::string> packages;  ///< "NAME=VERSION"
    std::string version;
    std::map<std::string, std::string> files;
  };

  RememberedArchive& archive(const ArchiveSource& source);
  Resolved resolve(const Bootloader& loader, const std::string& name);
  bool is_published(const Bootloader& loader, const std::string& product,
                    const std::map<std::string, Parts>& wanted);
  void fill(const Bootloader& loader, const std::vector<Resolved>& packages,
            std::map<std::string, Parts>& parts) const;
  std::optional<NewVersion> import_one(const Bootloader& loader);

  const ImportConfig& config_;
  Workshop& workshop_;
  io::Keyring keyring_;
  std::map<std::string, std::unique_ptr<RememberedArchive>> archives_;  ///< by URL and suite
  std::set<std::string> names_;  ///< of all packages of the configuration
};

}  // namespace meph2::import

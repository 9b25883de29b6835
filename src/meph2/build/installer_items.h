#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "meph2/build/builder.h"
#include "meph2/config/distro_info.h"
#include "meph2/installer/archive.h"
#include "sstream/repository/generation.h"

namespace meph2 {

/// Finds the di-kernel, di-initrd and di-dtb of kernel rows. What was read of an archive is kept
/// for the next image of the same release and arch.
class InstallerItems {
 public:
  InstallerItems(const StreamConfig& config, const installer::ArchiveOptions& options,
                 const DistroInfo& info, const sstream::Context& context)
      : config_(config), options_(options), info_(info), context_(context) {}

  /// Gives each product of the plan whose row the archive has files for its items, and the plan
  /// their files. Kernel and initrd (and device tree) of a row come from one version: the newest
  /// that has them all, of those that are `current` where one of them does. A row without is
  /// logged; Error(not_found) where no row has any; Error(usage) where two rows want different
  /// files under one name.
  void add_to(BuildPlan& plan);

 private:
  struct Offer {
    std::unique_ptr<installer::InstallerArchive> archive;
    std::vector<installer::InstallerVersion> versions;
  };

  Offer& offer(const BuildPlan& plan);

  const StreamConfig& config_;
  const installer::ArchiveOptions& options_;
  const DistroInfo& info_;
  const sstream::Context& context_;
  std::map<std::string, Offer> offers_;
};

/// Copies the di-* items that the live metadata has of the plan's version into the plan, so that
/// what is published stays as it is; not those of a product whose file is not in place. false where
/// there is none.
bool adopt_installer_items(const std::string& repository, const sstream::Generation& live,
                           const std::string& content_id, BuildPlan& plan);

/// The plan's installer files for the publication.
struct InstallerFiles {
  BuiltFiles sums;
  std::vector<sstream::NewFile> files;
};

/// Downloads what the repository lacks below `space`, verified. Error naming the file that cannot
/// be had.
InstallerFiles fetch_installer_files(const BuildPlan& plan, const std::string& repository,
                                     const std::string& space, const sstream::Context& context);

}  // namespace meph2

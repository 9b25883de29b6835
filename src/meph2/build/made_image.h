#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meph2/build/inputs.h"
#include "meph2/build/installer_items.h"

namespace meph2 {

/// An image for a publication, built or taken from an earlier version.
struct MadeImage {
  std::string reused;  ///< the version whose files were taken; empty: none
  BuiltFiles files;    ///< by their new paths
  std::vector<sstream::NewFile> new_files;
  std::map<std::string, BuildInputs> inputs;  ///< by product: what it was built from, if known
  std::vector<ReportedStage> stages;          ///< of the build, as far as the builder says

  void add(InstallerFiles installer);
};

/// What the configuration and the repository add to the options that a user gives.
BuilderOptions builder_for(const BuildPlan& plan, BuilderOptions options,
                           const StreamConfig& config, const std::string& repository);

/// run_builder() for what `current` describes. `source` is where it is now: a local file or a URL.
MadeImage make_image(CurrentInputs& current, const std::string& source, const std::string& space,
                     const sstream::Context& context);

/// The files that a build would make again, byte for byte: those of the newest version of all
/// products of the plan that was built from just what it would take now, and whose files are in
/// place, read and found right. Nothing where there is none, and where anything at all is unknown.
/// Asks the archives, and the builder for its version, only where all else is equal.
std::optional<MadeImage> find_reusable(const std::string& repository, const std::string& content_id,
                                       CurrentInputs& current, const sstream::Context& context);

}  // namespace meph2

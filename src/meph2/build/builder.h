#pragma once

#include <map>
#include <optional>
#include <string>

#include "meph2/build/plan.h"
#include "meph2/build/report.h"
#include "sstream/format/checksums.h"
#include "sstream/repository/context.h"

namespace meph2 {

/// How the builder is called.
struct BuilderOptions {
  unsigned verbosity = 0;
  unsigned jobs = 0;  ///< kernels at once, 0: the builder's own choice; it gets it as M2E_JOBS
  bool unprivileged = false;  ///< it gets it as M2E_UNPRIVILEGED=1
  std::string
      squashfs_compression;     ///< empty: its own choice; it gets it as M2E_SQUASHFS_COMPRESSION
  std::string root_image_size;  ///< likewise, as M2E_ROOT_IMAGE_SIZE
  /// Where it may keep finished stages until an image is complete; it gets it as M2E_STAGES. Empty:
  /// nowhere.
  std::string stages;
  bool resume = true;  ///< else it gets M2E_NO_RESUME
  /// Absolute: where it may log until the image is complete; it gets it as M2E_LOGS. Empty:
  /// nowhere.
  std::string logs;
};

/// Where the builder keeps finished stages of images for a repository: private to it.
std::string stages_of(const std::string& repository);

/// Where the builder logs what it does for a version of an image: DIR/logs/RELEASE-ARCH-VERSION.
std::string logs_of(const std::string& repository, const std::string& release,
                    const std::string& arch, const std::string& version);

/// An image's files with what became of them, by path.
using BuiltFiles = std::map<std::string, sstream::Checksums>;

/// $MAAS_CLOUDIMG2EPH2, else maas-cloudimg2eph2; looked for in PATH, then beside the running
/// program, then in the bin/ of the source tree that it was built in. Error(not_found) where there
/// is none.
std::string builder_program();

/// What a run of the builder made, and what it said of it, if it did.
struct BuiltImage {
  BuiltFiles files;
  std::optional<BuildReport> report;
};

/// Runs the builder for `source` (a local file or a URL) with all outputs below `space`, and checks
/// that it made them all. Its stdout goes to stderr, its report into a file in `space`
/// ($M2E_REPORT). Error(failed) naming the builder and its exit status, or the file that is missing
/// or empty, and options.logs where these are left. After success they are removed.
BuiltImage run_builder(const BuildPlan& plan, const BuilderOptions& options,
                       const std::string& source, const std::string& space,
                       const sstream::Context& context);

}  // namespace meph2

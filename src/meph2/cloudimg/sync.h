#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "meph2/build/builder.h"
#include "meph2/build/installer_items.h"
#include "meph2/build/plan.h"
#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"
#include "sstream/source/content_source.h"

namespace meph2 {

/// The --target that has nothing in it: everything is built.
inline constexpr const char* force_target = "force";

struct CloudimgSyncOptions {
  std::string config;  ///< file; empty: default_config_path()
  std::string source;  ///< empty: the configuration's default_source
  std::string target;  ///< MAAS stream to compare with; empty: the configuration's default_target
  std::string output;  ///< data directory, made if absent
  std::vector<std::string> filters;  ///< on the source's items
  std::vector<std::string> arches;   ///< empty: default_arches()
  std::vector<std::string> rebuild;  ///< OLD:NEW
  std::size_t max = 1;
  std::optional<bool> enable_di;
  installer::ArchiveOptions installer;  ///< where the di-* items come from
  BuildRequest request;                 ///< proposed and the package lists only
  BuilderOptions builder;
  bool reuse = true;  ///< files of a version that was made from just the same may be taken
  sstream::TrustOptions trust;  ///< of the source
  sstream::PublishOptions publish;
};

/// An image that was (or, dry run, would be) built, or why it could not be.
struct SyncedImage {
  std::string name;    ///< "noble/amd64/20240501"
  std::string source;  ///< file or URL
  std::string error;   ///< empty: none
  bool built = false;  ///< false: published already, or `reused`
  std::string reused;  ///< the version whose files were taken; empty: none
  std::string logs;    ///< directory of the builder's logs of what failed; empty: there is none
};

struct CloudimgSyncResult {
  std::vector<SyncedImage> images;
  AddedItems items;                                 ///< of the images
  std::optional<sstream::PublishResult> published;  ///< nothing: there was nothing to publish

  bool failed() const;
};

/// Builds boot images of the cloud images that the MAAS stream `target` lacks, and publishes them
/// in `output` together with the metadata of the target (docs/format.md 4.5). Images are verified
/// before anything unpacks them. An image that cannot be had or built stops only itself. Versions
/// that were built into the output earlier stay; metadata there that was only carried over from the
/// target follows the target, within the guard rails.
CloudimgSyncResult cloudimg_sync(const CloudimgSyncOptions& options,
                                 const sstream::Context& context);

/// What this machine can build, by its own name of its architecture (uname -m); empty where that is
/// not known.
std::vector<std::string> default_arches(const std::string& machine);

}  // namespace meph2

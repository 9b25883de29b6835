#pragma once

#include <string>
#include <utility>
#include <vector>

#include "meph2/build/builder.h"
#include "meph2/build/graph.h"
#include "meph2/build/installer_items.h"
#include "meph2/build/plan.h"
#include "meph2/build/why.h"
#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"

namespace meph2 {

struct BuildImageOptions {
  std::string config;  ///< file; empty: default_config_path()
  BuildRequest request;
  std::string source;                   ///< local file or URL
  std::string target;                   ///< data directory, made if absent
  std::optional<bool> enable_di;        ///< overrides the configuration
  installer::ArchiveOptions installer;  ///< where the di-* items come from
  std::string flat_json;                ///< FILE of --flat-json; empty: none
  BuilderOptions builder;
  bool reuse = true;  ///< files of a version that was made from just the same may be taken
  sstream::PublishOptions publish;
};

struct BuildImageResult {
  bool built = false;  ///< false: everything was published already (or a dry run), or `reused`
  std::string reused;  ///< the version whose files were taken; empty: none
  std::vector<ReportedStage> stages;  ///< of the build, as far as the builder says
  AddedItems items;                   ///< of products that change
  sstream::PublishResult published;
};

/// Builds one image and adds it, as a new version of each product that the configuration names, to
/// the stream in the target (docs/format.md 4.5); what is in its metadata already stays. What
/// cannot be built per configuration is Error(usage), before anything is written.
BuildImageResult build_image(const BuildImageOptions& options, const sstream::Context& context);

/// What build_image() would do with the same options, and why: reads what is local, asks no network
/// and no builder, and changes nothing. Errors as build_image(), Error(not_found) for a source that
/// is no URL and not there.
BuildGraph plan_image(const BuildImageOptions& options, const sstream::Context& context);

/// why_build() of what build_image() would do with the same options.
BuildWhy why_image(const BuildImageOptions& options, const std::string& product,
                   const sstream::Context& context);

}  // namespace meph2

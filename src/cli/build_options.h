#pragma once

#include <optional>
#include <string>

#include "cli/run_options.h"
#include "meph2/build/builder.h"
#include "meph2/build/installer_items.h"

namespace cli {

/// What the two build commands share on the command line, as their verbs have it.
struct BuildOptions {
  std::string& config;
  std::optional<bool>& enable_di;
  meph2::installer::ArchiveOptions& installer;
  meph2::BuildRequest& request;
  meph2::BuilderOptions& builder;
};

/// --config, --enable-di, --disable-di, --di-mirror and its like, --proposed, --proposed-packages,
/// --pre-purge-packages, --log-file, and add_http_options(): --jobs is for kernels as well.
void add_build_options(const Options& line, const BuildOptions& options, RunFlags& flags);

}  // namespace cli

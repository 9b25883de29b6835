#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/fs/file.h"
#include "cli/http_options.h"
#include "cli/options.h"
#include "meph2/build/builder.h"
#include "meph2/build/installer_items.h"

namespace cli {

/// What the two build commands share on the command line.
struct BuildFlags {
  std::string config;
  std::string log_file;
  HttpFlags http;
  std::optional<bool> enable_di;
  bool resume = true;
  meph2::installer::ArchiveOptions installer;
  bool unprivileged = false;

  /// As the verbs want it.
  meph2::BuilderOptions builder(unsigned verbosity) const;
};

/// --config, --enable-di, --disable-di, --di-mirror and its like, --proposed, --proposed-packages,
/// --pre-purge-packages, --log-file, and add_http_options(): --jobs is for kernels as well.
void add_build_options(const Options& line, BuildFlags& flags, meph2::BuildRequest& request);

/// --log-file.
void add_log_file(const Options& line, std::string& path);

/// Calls `work` with a context whose log goes to `path` (truncated), or with `context` itself where
/// path is empty.
int with_log_file(const std::string& path, const sstream::Context& context,
                  const std::function<int(const sstream::Context& context)>& work);

}  // namespace cli

#pragma once

#include "cli/program.h"
#include "io/http.h"

namespace cli {

/// --jobs, --limit-rate, --cacert, --netrc.
void add_http_options(CLI::App& app, io::HttpOptions& options);

/// The context with a client of its own that has these options.
int with_http(const io::HttpOptions& options, const sstream::Context& context,
              const std::function<int(sstream::Context& context)>& work);

}  // namespace cli

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/options.h"
#include "io/http/http.h"
#include "sstream/repository/context.h"

namespace cli {

/// What a command that fetches lets the user say about that.
struct HttpFlags {
  io::HttpOptions options;
  std::optional<unsigned> jobs;  ///< at once; absent: the default of whatever is done
};

/// --jobs, --jobs-per-host, --limit-rate, --cacert, --netrc. `jobs` is the help of --jobs, where
/// the command does more than downloading so many at a time; `spelling` other names of it.
void add_http_options(const Options& line, HttpFlags& flags,
                      const std::string& jobs = "Download N files at a time (default: 4)",
                      const std::string& spelling = "--jobs");

/// The context with a client of its own that has these options.
int with_http(const HttpFlags& flags, const sstream::Context& context,
              const std::function<int(const sstream::Context& context)>& work);

}  // namespace cli

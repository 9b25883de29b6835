#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "cli/options.h"
#include "cli/program.h"
#include "io/http/http.h"
#include "sstream/repository/context.h"

namespace cli {

/// What a command lets the user say about its downloads and its log.
struct RunFlags {
  io::HttpOptions http;
  std::optional<unsigned> jobs;  ///< at once; absent: the default of whatever is done
  std::string log_file;          ///< empty: stderr
};

/// --jobs, --jobs-per-host, --limit-rate, --cacert, --netrc. `jobs` is the help of --jobs, where
/// the command does more than downloading so many at a time; `spelling` other names of it.
void add_http_options(const Options& line, RunFlags& flags,
                      const std::string& jobs = "Download N files at a time (default: 4)",
                      const std::string& spelling = "--jobs");

/// --log-file.
void add_log_file(const Options& line, RunFlags& flags);

/// Calls `work` with a client of its own that has these options, and with a log that goes to the
/// file (truncated), where there is one.
int run_with(const RunFlags& flags, const sstream::Context& context, const Action& work);

/// The action that calls `run` with `command`, whose RunFlags are `running`.
template <typename T>
Action action_of(std::shared_ptr<T> command,
                 int (*run)(std::type_identity_t<T>& command, const sstream::Context& context)) {
  return [command, run](const sstream::Context& context) {
    return run_with(command->running, context,
                    [&](const sstream::Context& full) { return run(*command, full); });
  };
}

}  // namespace cli

#include "cli/run_options.h"

#include "base/error.h"
#include "base/exit_code.h"
#include "base/fs/log_file.h"
#include "base/strings.h"

namespace cli {

namespace {

constexpr unsigned most_jobs = 64;

template <typename Into>
Options::Take take_jobs(Into& into) {
  return [&into](const std::string& text) {
    const auto value = base::parse_decimal(text);
    if (!value || *value == 0 || *value > most_jobs) {
      throw base::Error(base::Errc::usage, base::cat("'", text, "' is not from 1 to ", most_jobs));
    }
    into = static_cast<unsigned>(*value);
  };
}

Options::Take take_rate(std::uint64_t& into) {
  return [&into](const std::string& text) {
    const auto value = base::parse_bytes(text);
    if (!value || *value == 0) {
      throw base::Error(base::Errc::usage,
                        base::cat("'", text, "' is no size such as 500k or 10M"));
    }
    into = *value;
  };
}

}  // namespace

void add_http_options(const Options& line, RunFlags& flags, const std::string& jobs,
                      const std::string& spelling) {
  const auto options = line.in(Group::download);
  auto& set = flags.http;
  options.text(spelling, "N", take_jobs(flags.jobs), jobs);
  options.text("--jobs-per-host", "N", take_jobs(set.jobs_per_host),
               "At most N of them from one server (default: 8)");
  options.text("--limit-rate", "RATE", take_rate(set.limit_rate),
               "Bytes per second over all downloads, e.g. 500k or 10M");
  options.text("--cacert", "FILE", set.ca_file,
               "Believe https servers that a certificate of this file vouches for");
  options.flag("--netrc", set.netrc, "Take user names and passwords from ~/.netrc");
}

void add_log_file(const Options& line, RunFlags& flags) {
  line.in(Group::output)
      .text("--log-file", "FILE", flags.log_file, "Write the log to this file, not to stderr");
}

int run_with(const RunFlags& flags, const sstream::Context& context, const Action& work) {
  auto options = flags.http;
  options.jobs = flags.jobs.value_or(options.jobs);
  const auto http = io::make_http_client(options);
  if (flags.log_file.empty()) {
    return work(context.with(*http));
  }
  base::LogFile file(flags.log_file, context.log);
  const base::Log log("meph2", base::LogLevel::debug, file.sink());
  const int code = work(context.with(*http).with(log));
  try {
    file.finish();
  } catch (const base::Error&) {
    if (code == base::exit_done) {
      throw;
    }  // else what failed comes first; that the log ends was said at once
  }
  return code;
}

}  // namespace cli

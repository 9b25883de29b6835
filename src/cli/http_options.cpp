#include "cli/http_options.h"

#include "base/strings.h"

namespace cli {

namespace {

constexpr unsigned most_jobs = 64;

unsigned jobs_of(const std::string& option, const std::string& text) {
  const auto value = base::parse_decimal(text);
  if (!value || *value == 0 || *value > most_jobs) {
    throw CLI::ValidationError(option, base::cat("'", text, "' is not from 1 to ", most_jobs));
  }
  return static_cast<unsigned>(*value);
}

}  // namespace

CLI::Option* add_jobs(CLI::App& app, const std::string& flags, std::optional<unsigned>& into,
                      const std::string& help) {
  return app
      .add_option_function<std::string>(
          flags, [&into](const std::string& text) { into = jobs_of("--jobs", text); }, help)
      ->type_name("N");
}

void add_http_options(CLI::App& app, HttpFlags& flags, const std::string& jobs,
                      const std::string& spelling) {
  auto& options = flags.options;
  add_jobs(app, spelling, flags.jobs, jobs);
  app.add_option_function<std::string>(
         "--jobs-per-host",
         [&options](const std::string& text) {
           options.jobs_per_host = jobs_of("--jobs-per-host", text);
         },
         "At most N of them from one server (default: 8)")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--limit-rate",
         [&options](const std::string& text) {
           const auto value = base::parse_bytes(text);
           if (!value || *value == 0) {
             throw CLI::ValidationError("--limit-rate",
                                        base::cat("'", text, "' is no size such as 500k or 10M"));
           }
           options.limit_rate = *value;
         },
         "Bytes per second over all downloads, e.g. 500k or 10M")
      ->type_name("RATE");
  app.add_option("--cacert", options.ca_file,
                 "Believe https servers that a certificate of this file vouches for")
      ->type_name("FILE");
  app.add_flag("--netrc", options.netrc, "Take user names and passwords from ~/.netrc");
}

int with_http(const HttpFlags& flags, const sstream::Context& context,
              const std::function<int(sstream::Context& context)>& work) {
  auto options = flags.options;
  options.jobs = flags.jobs.value_or(options.jobs);
  const auto http = io::make_http_client(options);
  sstream::Context own{context.clock, context.log,  context.progress,
                       *http,         context.stop, context.print};
  return work(own);
}

}  // namespace cli

#include "cli/http_options.h"

#include "base/strings.h"

namespace cli {

void add_http_options(CLI::App& app, io::HttpOptions& options) {
  app.add_option_function<std::string>(
         "--jobs",
         [&options](const std::string& text) {
           const auto value = base::parse_decimal(text);
           if (!value || *value == 0 || *value > 64) {
             throw CLI::ValidationError("--jobs", base::cat("'", text, "' is not from 1 to 64"));
           }
           options.jobs = static_cast<unsigned>(*value);
         },
         "Download N files at a time (default: 4)")
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
                 "Believe https servers that a certificate of this file vouches for");
  app.add_flag("--netrc", options.netrc, "Take user names and passwords from ~/.netrc");
}

int with_http(const io::HttpOptions& options, const sstream::Context& context,
              const std::function<int(sstream::Context& context)>& work) {
  const auto http = io::make_http_client(options);
  sstream::Context own{context.clock, context.log,  context.progress,
                       *http,         context.stop, context.print};
  return work(own);
}

}  // namespace cli

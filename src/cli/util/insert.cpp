#include "meph2/verbs/insert.h"

#include <memory>

#include "base/strings.h"
#include "cli/http_options.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct InsertCommand {
  meph2::InsertOptions options;
  PublishFlags flags;
  HttpFlags http;
  std::optional<std::uint64_t> max;
};

int run(InsertCommand& command, const sstream::Context& context) {
  auto& options = command.options;
  options.max = command.max.value_or(options.max);
  context.log.info(base::cat("starting: src=", options.source, " target=", options.target));
  const auto result = meph2::insert(options, context);
  const auto report = report_of_items(result.items, result.published, options.publish);
  return finish(report, lines_of(result.items, result.published, options.publish), command.flags,
                context);
}

}  // namespace

Action declare_insert(CLI::App& app) {
  auto command = std::make_shared<InsertCommand>();
  command->options.publish.action = "insert";
  command->options.publish.create = true;
  command->options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  app.add_option("SRC", command->options.source,
                 "Source: a directory, an index or products file, or an http(s) URL")
      ->required();
  app.add_option("TARGET", command->options.target, "Data directory to insert into; made if absent")
      ->required();
  app.add_option("FILTER", command->options.filters,
                 "Only items that match, e.g. arch=amd64 'release~(noble|jammy)'");
  add_number(app, "--max", command->max,
             "Consider only the N newest versions of a product (default: 20)");
  add_publish_options(app, command->options.publish, command->flags);
  add_trust_options(app, command->options.trust);
  add_replay_options(app, command->options.trust);
  add_md5_option(app, command->options.trust);
  add_http_options(app, command->http);
  return [command](sstream::Context& context) {
    return with_http(command->http, context,
                     [&](sstream::Context& full) { return run(*command, full); });
  };
}

}  // namespace cli

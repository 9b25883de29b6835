#include "meph2/verbs/insert.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using InsertCommand = VerbCommand<meph2::InsertOptions>;

int run(InsertCommand& command, const sstream::Context& context) {
  const auto& options = command.options;
  context.log.info(base::cat("starting: src=", options.source, " target=", options.target));
  const auto result = meph2::insert(options, context);
  return finish_items(result.items, result.published, options.publish, command.flags);
}

}  // namespace

Action declare_insert(const Options& line) {
  auto command = std::make_shared<InsertCommand>();
  command->options.publish.action = "insert";
  command->options.publish.create = true;
  command->options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  line.word("SRC", command->options.source,
            "Source: a directory, an index or products file, or an http(s) URL");
  line.word("TARGET", command->options.target, "Data directory to insert into; made if absent");
  line.rest("FILTER", command->options.filters,
            "Only items that match, e.g. arch=amd64 'release~(noble|jammy)'");
  line.number("--max", command->options.max,
              "Consider only the N newest versions of a product (default: 20)");
  add_publish_options(line, command->options.publish, command->flags);
  add_source_options(line, command->options.trust);
  add_http_options(line, command->running);
  return action_of(command, run);
}

}  // namespace cli

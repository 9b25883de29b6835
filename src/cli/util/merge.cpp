#include "meph2/verbs/merge.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

Action declare_merge(const Options& line) {
  auto command = std::make_shared<VerbCommand<meph2::MergeOptions>>();
  command->options.publish.action = "merge";
  command->options.publish.create = true;
  line.word("SRC", command->options.source,
            "Source: a local directory, or an index or products file in one");
  line.word("TARGET", command->options.target, "Data directory to merge into; made if absent");
  add_publish_options(line, command->options.publish, command->flags);
  add_source_options(line, command->options.trust);
  return [command](const sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: src=", options.source, " target=", options.target));
    const auto result = meph2::merge(options, context);
    return finish_items(result.items, result.published, options.publish, command->flags);
  };
}

}  // namespace cli

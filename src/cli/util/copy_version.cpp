#include "meph2/verbs/copy_version.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

Action declare_copy_version(const Options& line) {
  auto command = std::make_shared<VerbCommand<meph2::CopyVersionOptions>>();
  command->options.publish.action = "copy-version";
  line.word("DATA_D", command->options.target, "Data directory");
  line.word("FROM", command->options.from, "Version to copy");
  line.word("TO", command->options.to, "Name of the copy");
  line.rest("FILTER", command->options.filters,
            "Only products with an item of that version that matches");
  add_publish_options(line, command->options.publish, command->flags);
  return [command](const sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: data_d=", options.target, " from_version=", options.from,
                               " to_version=", options.to));
    const auto result = meph2::copy_version(options, context);
    auto report = report_of_items(result.items, result.published, options.publish);
    report["products"] = result.products;
    std::vector<std::string> lines;
    for (const auto& product : result.products) {
      lines.push_back(base::cat("Copying ", options.from, " to ", options.to, " in ", product));
    }
    return finish(report, lines, command->flags);
  };
}

}  // namespace cli

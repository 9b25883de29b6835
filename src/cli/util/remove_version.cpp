#include "meph2/verbs/remove_version.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

Action declare_remove_version(const Options& line) {
  auto command = std::make_shared<VerbCommand<meph2::RemoveVersionOptions>>();
  command->options.publish.action = "remove-version";
  line.word("DATA_D", command->options.target, "Data directory");
  line.word("VERSION", command->options.version, "Version to remove");
  line.rest("FILTER", command->options.filters,
            "Only products with an item of that version that matches");
  line.flag("--force", command->options.force, "Also a version that is held");
  add_publish_options(line, command->options.publish, command->flags);
  return [command](const sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: data_d=", options.target, " version=", options.version));
    const auto result = meph2::remove_version(options, context);
    auto report = sstream::report_of(result.published, options.publish);
    report["products"] = result.products;
    std::vector<std::string> lines;
    for (const auto& product : result.products) {
      lines.push_back(base::cat("Removing ", options.version, " from ", product));
    }
    return finish(report, lines, command->flags);
  };
}

}  // namespace cli

#include "meph2/verbs/rollback.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

Action declare_rollback(const Options& line) {
  auto command = std::make_shared<VerbCommand<meph2::RollbackOptions>>();
  command->options.publish.action = "rollback";
  line.word("DATA_D", command->options.target, "Data directory");
  line.optional_word(
      "GEN", command->options.generation,
      "Number of the generation, see `meph2-util history` (default: the newest kept)");
  line.text("--product", "PRODUCT", command->options.product, "Only this product goes back");
  add_publish_options(line, command->options.publish, command->flags);
  return [command](const sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: data_d=", options.target));
    const auto result = meph2::rollback(options, context);
    auto report = sstream::report_of(result.published, options.publish);
    report["restored"] = result.generation;
    report["product"] = options.product;
    const auto what = base::cat(options.product.empty() ? "everything" : options.product,
                                " as in generation ", result.generation);
    const std::vector<std::string> lines = {result.published.changed
                                                ? base::cat("Restoring ", what)
                                                : base::cat("nothing to do: ", what, " is live")};
    return finish(report, lines, command->flags);
  };
}

}  // namespace cli

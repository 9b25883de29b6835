#include "meph2/verbs/sign.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

Action declare_sign(const Options& line) {
  auto command = std::make_shared<VerbCommand<meph2::SignOptions>>();
  command->options.publish.action = "sign";
  line.word("DATA_D", command->options.target, "Data directory");
  add_publish_options(line, command->options.publish, command->flags);
  return [command](const sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: data_d=", options.target));
    const auto result = meph2::sign(options, context);
    std::vector<std::string> lines;
    for (const auto& document : result.signed_documents) {
      lines.push_back(base::cat("signed streams/v1/", document));
    }
    if (lines.empty()) {
      lines = {outcome_of(result)};
    }
    return finish(sstream::report_of(result, options.publish), lines, command->flags);
  };
}

}  // namespace cli

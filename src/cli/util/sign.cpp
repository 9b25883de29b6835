#include <memory>

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct SignCommand {
  std::string target;
  sstream::PublishOptions publish;
  PublishFlags flags;
};

}  // namespace

Action declare_sign(CLI::App& app) {
  auto command = std::make_shared<SignCommand>();
  command->publish.action = "sign";
  app.add_option("DATA_D", command->target, "Data directory")->required();
  add_publish_options(app, command->publish, command->flags);
  return [command](sstream::Context& context) {
    context.log.info(base::cat("starting: data_d=", command->target));
    const auto result = sstream::publish(
        command->target, [](const sstream::Generation&) { return sstream::Plan{}; },
        command->publish, context);
    std::vector<std::string> lines;
    for (const auto& document : result.signed_documents) {
      lines.push_back(base::cat("signed streams/v1/", document));
    }
    if (lines.empty()) {
      lines = {outcome_of(result)};
    }
    return finish(sstream::report_of(result, command->publish), lines, command->flags, context);
  };
}

}  // namespace cli

#include "meph2/verbs/hold.h"

#include "base/error.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct HoldCommand : VerbCommand<meph2::HoldOptions> {
  bool list = false;
};

std::string line_of(const sstream::Hold& hold, base::Time now) {
  return base::cat(hold.product, "@", hold.version, " held by ", hold.by, " since ",
                   base::format_stamp(hold.since),
                   hold.until ? base::cat(hold.active(now) ? " until " : ", ended ",
                                          base::format_stamp(*hold.until))
                              : std::string(),
                   hold.reason.empty() ? "" : ": ", hold.reason);
}

int list(const HoldCommand& command, const sstream::Context& context) {
  std::vector<std::string> lines;
  io::Json holds = io::Json::array();
  for (const auto& hold : meph2::list_holds(command.options.data_d)) {
    lines.push_back(line_of(hold, context.clock.now()));
    holds.push_back(sstream::json_of(hold));
  }
  return finish({{"action", "hold"}, {"holds", std::move(holds)}}, lines, command.flags);
}

void declare_common(const Options& line, HoldCommand& command) {
  add_dry_run(line, command.options.dry_run, command.flags);
  add_lock_and_report(line, command.options.lock_timeout, command.flags);
}

int finish_change(const char* action, const sstream::Hold& hold, const std::string& line,
                  const HoldCommand& command) {
  return finish(
      {{"action", action}, {"dry_run", command.options.dry_run}, {"hold", sstream::json_of(hold)}},
      {line}, command.flags);
}

}  // namespace

Action declare_hold(const Options& line) {
  auto command = std::make_shared<HoldCommand>();
  auto& options = command->options;
  line.word("DATA_D", options.data_d, "Data directory");
  line.optional_word("PRODUCT@VERSION", options.version, "What to hold (default: list the holds)");
  line.flag("--list", command->list, "List the holds");
  line.text("--reason", "WHY", options.reason, "Why, for whoever asks later");
  line.text("--until", "WHEN", options.until, "30d, or a date (default: until it is taken back)");
  declare_common(line, *command);
  return [command](const sstream::Context& context) {
    if (command->list || command->options.version.empty()) {
      return list(*command, context);
    }
    const auto hold = meph2::hold(command->options, context);
    return finish_change("hold", hold, line_of(hold, context.clock.now()), *command);
  };
}

Action declare_unhold(const Options& line) {
  auto command = std::make_shared<HoldCommand>();
  line.word("DATA_D", command->options.data_d, "Data directory");
  line.word("PRODUCT@VERSION", command->options.version, "What not to hold any more");
  declare_common(line, *command);
  return [command](const sstream::Context& context) {
    const auto hold = meph2::unhold(command->options, context);
    const auto line = base::cat(hold.product, "@", hold.version, " is not held any more");
    return finish_change("unhold", hold, line, *command);
  };
}

}  // namespace cli

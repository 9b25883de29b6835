#include "meph2/verbs/patch.h"

#include <unistd.h>

#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

constexpr std::uint64_t patch_limit = 16ULL << 20U;

struct PatchCommand : VerbCommand<meph2::PatchOptions> {
  std::string input;
  std::string stream;
  std::string target;
};

std::string read_input(const std::string& input) {
  if (!input.empty() && input != "-") {
    return base::read_file(input, patch_limit);
  }
  base::File file(base::UniqueFd(::dup(STDIN_FILENO)), "standard input");
  return base::read_all(file, patch_limit);
}

int run(PatchCommand& command, const sstream::Context& context) {
  auto& options = command.options;
  options.target = command.target.empty() ? command.stream : command.target;
  options.source = command.target.empty() ? "" : command.stream;
  const bool piped = command.input.empty() || command.input == "-";
  context.log.info(base::cat("starting: input=", piped ? "standard input" : command.input,
                             options.source.empty() ? "" : " src=", options.source,
                             " target=", options.target));
  options.patches =
      meph2::parse_patch(read_input(command.input), piped ? "standard input" : command.input);
  if (options.patches.empty()) {
    print_line("WARNING: No diff defined!");
    return base::exit_done;
  }
  const auto result = meph2::patch(options, context);
  auto report = report_of_items(result.items, result.published, options.publish);
  report["changes"] = result.changes;
  auto lines = result.changes;
  if (lines.empty()) {
    lines.push_back(outcome_of(result.published));
  }
  return finish(report, lines, command.flags);
}

}  // namespace

Action declare_patch(const Options& line) {
  auto command = std::make_shared<PatchCommand>();
  auto& options = command->options;
  options.publish.action = "patch";
  options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  line.word("STREAM", command->stream,
            "Data directory to change; with TARGET, where to add from: a directory, an index "
            "or products file, or an http(s) URL");
  line.optional_word("TARGET", command->target,
                     "Data directory to change, if STREAM is the source");
  line.text("-i,--input", "FILE", command->input,
            "Patch, as `meph2-util diff` writes it (default: standard input)");
  add_publish_options(line, options.publish, command->flags);
  add_trust_options(line, options.trust);
  add_replay_options(line, options.trust);
  add_http_options(line, command->running);
  return action_of(command, run);
}

}  // namespace cli

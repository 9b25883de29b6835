#include "meph2/verbs/promote.h"

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using PromoteCommand = VerbCommand<meph2::PromoteOptions>;

int run(PromoteCommand& command, const sstream::Context& context) {
  const auto& asked = command.options;
  context.log.info(base::cat("starting: src=", asked.source, " target=", asked.target,
                             " version=", asked.version, " label=", asked.label));
  const auto result = meph2::promote(asked, context);
  return finish_items(result.items, result.published, asked.publish, command.flags, result.details);
}

}  // namespace

Action declare_promote(const Options& line) {
  auto command = std::make_shared<PromoteCommand>();
  auto& options = command->options;
  options.publish.action = "promote";
  options.publish.create = true;
  options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  line.word("SRC", options.source,
            "Source: a directory, an index or products file, or an http(s) URL");
  line.word("TARGET", options.target, "Data directory to promote into; made if absent");
  line.word("VERSION", options.version, "Version to promote");
  line.rest("FILTER", options.filters, "Only products whose items match, e.g. release=noble");
  line.text("-l,--label", "LABEL", options.label,
            base::cat("Label of what is promoted: ", base::join(meph2::usual_labels(), ", "),
                      " or another (default: release)"));
  line.flag("--skip-file-copy", options.skip_file_copy,
            "Bring no files in: they must be in the target already, and right");
  line.flag("--allow-partial", options.allow_partial,
            "Let the filters leave out some items of a version");
  line.duration("--soak", options.soak, "Refuse a version that is younger");
  add_publish_options(line, options.publish, command->flags);
  add_source_options(line, options.trust);
  add_http_options(line, command->running);
  return action_of(command, run);
}

}  // namespace cli

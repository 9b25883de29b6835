#include "meph2/verbs/clean_md.h"

#include "base/error.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct CleanMdCommand : VerbCommand<meph2::CleanMdOptions> {
  std::vector<std::string> words;
};

/// "N TARGET [FILTER...]", as the established tool has it, or "TARGET [FILTER...]" with an option.
void take_words(CleanMdCommand& command) {
  auto words = command.words;
  auto& options = command.options;
  if (!options.max && words.size() > 1) {
    if (const auto number = base::parse_decimal(words[0])) {
      options.max = number;
      words.erase(words.begin());
    }
  }
  options.target = words[0];
  options.filters.assign(words.begin() + 1, words.end());
}

io::Json list_of(const std::vector<meph2::CleanedVersion>& versions) {
  io::Json out = io::Json::array();
  for (const auto& at : versions) {
    out.push_back(
        {{"content_id", at.content_id}, {"product", at.product}, {"version", at.version}});
  }
  return out;
}

std::vector<std::string> lines_of(const meph2::CleanMdResult& result) {
  std::vector<std::string> lines;
  for (const auto& at : result.removed) {
    lines.push_back(base::cat("Removing ", at.version, " from ", at.product));
  }
  for (const auto& at : result.held) {
    lines.push_back(base::cat("Keeping ", at.version, " of ", at.product, ": held"));
  }
  for (const auto& product : result.dropped) {
    lines.push_back(base::cat("Dropping ", product));
  }
  lines.push_back(base::cat(result.removed.size(), " versions removed, ",
                            base::human_bytes(result.freed), " of data named no more"));
  return lines;
}

}  // namespace

Action declare_clean_md(const Options& line) {
  auto command = std::make_shared<CleanMdCommand>();
  auto& options = command->options;
  options.publish.action = "clean-md";
  line.rest("TARGET", command->words,
            "How many versions stay (or --max), a data directory or a document below its "
            "streams/v1, and which versions may go",
            "[N] TARGET [FILTER]...")
      .required();
  line.number("--max", options.max, "Versions of each product that stay, the newest");
  line.number("--min-keep", options.min_keep,
              "Versions of each product that stay whatever the rest says (default: 1)");
  line.duration("--older-than", options.older_than,
                "Only versions whose name begins with a date longer ago");
  line.size("--free", options.free,
            "Only so many versions, the oldest first, that so much data is named no more");
  add_allow_drop(line, options.allow_drop, "Let this product go when it has no version");
  line.in(Group::trust)
      .text("--keyring", "FILE", options.keyring,
            "The stream must be signed by a key of this file");
  add_publish_options(line, options.publish, command->flags);
  return [command](const sstream::Context& context) {
    take_words(*command);
    const auto& asked = command->options;
    context.log.info(base::cat("starting: target=", asked.target,
                               asked.max ? base::cat(" max=", *asked.max) : std::string()));
    if (asked.max && *asked.max < asked.min_keep) {
      context.log.warning(base::cat("--max ", *asked.max, " empties products: ", asked.min_keep,
                                    " of each stay; --min-keep ", *asked.max, " if that is meant"));
    }
    const auto result = meph2::clean_md(asked, context);
    auto report = sstream::report_of(result.published, asked.publish);
    report["removed"] = list_of(result.removed);
    report["held"] = list_of(result.held);
    report["dropped"] = result.dropped;
    report["freed"] = result.freed;
    return finish(report, lines_of(result), command->flags);
  };
}

}  // namespace cli

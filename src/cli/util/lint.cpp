#include "meph2/lint/lint.h"

#include "base/error.h"
#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/run_options.h"
#include "cli/util/commands.h"
#include "cli/version.h"
#include "meph2/lint/output.h"
#include "meph2/lint/rules.h"

namespace cli {

namespace {

constexpr std::size_t examples_per_rule = 5;

struct LintCommand {
  meph2::LintOptions options;
  RunFlags running;
  std::string format = "text";
  std::string explain;
  bool list_rules = false;
  bool all = false;
  bool strict = false;
  std::string sample;
};

/// "20" or "all".
std::optional<std::uint64_t> sample_of(const std::string& text) {
  const auto count = base::parse_decimal(text);
  if (!count && text != "all") {
    throw base::Error(base::Errc::usage,
                      base::cat("lint: --sample '", text, "' is neither a number nor 'all'"));
  }
  return count;
}

int explain(const std::string& id) {
  std::vector<std::string> known;
  for (const auto& rule : meph2::lint_rules()) {
    if (rule.id == id) {
      print_lines(meph2::explanation_of(rule));
      return base::exit_done;
    }
    known.emplace_back(rule.id);
  }
  const auto near = did_you_mean(id, known);
  throw base::Error(base::Errc::usage,
                    base::cat("rule '", id, "': there is none of that name",
                              near.empty() ? "; --list-rules names them" : near));
}

int list_rules(const LintCommand& command) {
  if (command.format == "markdown") {
    print_text(meph2::rules_as_markdown());
  } else if (command.format == "json") {
    print_json(meph2::rules_as_json());
  } else {
    for (const auto& line : meph2::rule_list()) {
      print_line(base::replace_all(line, "\t", "  "));
    }
  }
  return base::exit_done;
}

int exit_code(const sstream::lint::Result& result, bool strict) {
  using sstream::lint::Severity;
  if (!result.trusted) {
    return base::exit_untrusted;
  }
  const bool wrong = result.report.count(Severity::error) > 0 ||
                     (strict && result.report.count(Severity::warning) > 0);
  return wrong ? base::exit_failed : base::exit_done;
}

int run(LintCommand& command, const sstream::Context& context) {
  if (!command.explain.empty()) {
    return explain(command.explain);
  }
  if (command.list_rules) {
    return list_rules(command);
  }
  auto options = command.options;
  if (options.where.empty()) {
    throw base::Error(base::Errc::usage, "lint: which stream? Name a directory or a URL");
  }
  if (command.format == "markdown") {
    throw base::Error(base::Errc::usage, "lint: --format markdown is for --list-rules only");
  }
  if (!command.sample.empty()) {
    options.sample = sample_of(command.sample);
  }
  if (command.format == "text" && !command.all) {
    options.keep_per_rule = examples_per_rule;
  }
  options.jobs = command.running.jobs.value_or(options.jobs);
  const auto result = meph2::lint(options, context);
  if (command.format == "json") {
    print_json(meph2::json_of(result, options.where));
  } else if (command.format == "sarif") {
    print_json(meph2::sarif_of(result, options.where, MEPH2_VERSION));
  } else {
    print_lines(meph2::text_of(result));
  }
  return exit_code(result, command.strict);
}

}  // namespace

Action declare_lint(const Options& line) {
  auto command = std::make_shared<LintCommand>();
  auto& options = command->options;
  line.optional_word("STREAM", options.where,
                     "A directory, a document in its streams/v1, or a URL");
  line.list("--profile", "NAME", options.profiles,
            "Whose demands: maas, maas-classic, lxd, incus, juju or simplestreams; may be repeated "
            "(default: those that are remembered, else what the stream seems to be made for)");
  line.flag("--remember", options.remember,
            "Remember in the directory for whom it is: lint and what is published there go by "
            "it; without --profile: forget");
  line.in(Group::trust)
      .list("--keyring", "FILE", options.keyrings,
            "The signatures must be by a key of this file; may be repeated (default: the keyrings "
            "in the directory itself)");
  line.in(Group::output)
      .choice("--format", {"text", "json", "sarif", "markdown"}, command->format,
              "How to say it (default: text); markdown is for --list-rules");
  line.flag("--all", command->all, "Show all findings, not only the first five of each rule");
  line.flag("--strict", command->strict, "Warnings count as errors");
  line.flag_off("--no-files", options.files, "Look at the metadata only");
  line.flag("--data", options.data,
            "Read root file systems too, for the combined fingerprints of LXD and Incus");
  line.duration("--grace", options.grace,
                "Files that nothing names are no orphans before this age (default: 3d)");
  line.text("--sample", "N|all", command->sample,
            "Of a URL: ask the server about so many of the files, or about all (default: 20)");
  line.text("--explain", "RULE", command->explain, "Say all about one rule");
  line.flag("--list-rules", command->list_rules,
            "Name all rules (--format markdown: docs/lint-rules.md)");
  add_http_options(line, command->running,
                   "Ask about, or download, N files at a time (default: 4)");
  return action_of(command, run);
}

}  // namespace cli

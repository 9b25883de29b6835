#include "meph2/verify/verify.h"

#include <algorithm>

#include "base/exit_code.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct VerifyCommand : VerbCommand<meph2::VerifyOptions> {
  std::string format = "text";
};

io::Json report_of(const VerifyCommand& command, const meph2::VerifyResult& result) {
  auto problems = io::Json::array();
  for (const auto& found : result.problems) {
    problems.push_back({{"kind", sstream::name_of(found.problem.kind)},
                        {"object", found.problem.object},
                        {"reason", found.problem.reason},
                        {"remedy", meph2::name_of(found.remedy)}});
    if (!found.failure.empty()) {
      problems.back()["failure"] = found.failure;
    }
  }
  return {{"action", "verify"},
          {"changed", result.published.changed},
          {"bytes", result.bytes},
          {"bytes_read", result.data.bytes_read},
          {"clean", result.clean() && !result.untrusted},
          {"documents", result.documents},
          {"dropped", result.dropped},
          {"dry_run", command.options.publish.dry_run},
          {"files", result.files},
          {"files_left", result.data.left},
          {"files_read", result.data.read},
          {"files_untouched", result.data.untouched},
          {"generation", result.published.generation},
          {"problems", std::move(problems)},
          {"signatures_checked", result.signatures_checked},
          {"untrusted", result.untrusted}};
}

std::string line_of(const meph2::FoundProblem& found, bool dry_run) {
  const auto& problem = found.problem;
  auto reason = problem.reason;
  if (reason.starts_with(problem.object + ": ")) {
    reason.erase(0, problem.object.size() + 2);
  }
  auto line = base::cat(sstream::name_of(problem.kind), ": ", problem.object, ": ", reason);
  if (found.remedy != meph2::Remedy::none) {
    line += base::cat(dry_run ? " [would be " : " [", meph2::name_of(found.remedy), "]");
  } else if (!found.failure.empty()) {
    line += base::cat(" [not repaired: ", found.failure, "]");
  }
  return line;
}

std::string summary_of(const VerifyCommand& command, const meph2::VerifyResult& result) {
  const auto& data = result.data;
  auto line = base::cat(result.documents, " documents",
                        result.signatures_checked ? " and their signatures" : ", unsigned", ", ",
                        result.files, " files");
  if (command.options.data.read) {
    line += base::cat(": ", data.read, " read (", base::human_bytes(data.bytes_read), "), ",
                      data.untouched, " untouched since they were last read");
    if (data.left > 0) {
      line += base::cat(", ", data.left, " left for another run");
    }
  }
  const auto count = result.problems.size();
  if (count == 0) {
    return line + "; no problem";
  }
  const auto left =
      std::count_if(result.problems.begin(), result.problems.end(),
                    [](const auto& found) { return found.remedy == meph2::Remedy::none; });
  return base::cat(line, "; ", count, count == 1 ? " problem, " : " problems, ", left, " left");
}

std::vector<std::string> lines_of(const VerifyCommand& command, const meph2::VerifyResult& result) {
  std::vector<std::string> lines;
  for (const auto& found : result.problems) {
    lines.push_back(line_of(found, command.options.publish.dry_run));
  }
  for (const auto& version : result.dropped) {
    lines.push_back(base::cat("dropped: ", version));
  }
  lines.push_back(summary_of(command, result));
  return lines;
}

int run(VerifyCommand& command, const sstream::Context& context) {
  auto& asked = command.options;
  asked.data.read = asked.data.read || asked.data.paranoid || asked.data.budget;
  asked.data.jobs = command.running.jobs.value_or(asked.data.jobs);
  const auto result = meph2::verify(asked, context);
  if (command.format == "json") {
    command.flags.dry_run = "json";
  }
  const auto done = finish(report_of(command, result), lines_of(command, result), command.flags);
  if (result.untrusted) {
    return base::exit_untrusted;
  }
  if (result.refused) {
    return base::exit_refused;
  }
  return result.clean() ? done : base::exit_failed;
}

}  // namespace

Action declare_verify(const Options& line) {
  auto command = std::make_shared<VerifyCommand>();
  auto& options = command->options;
  options.publish.action = "verify";
  options.data.jobs = base::core_count();
  line.word("DATA_D", options.target, "Data directory, or the http(s) URL of one");
  line.flag("--data", options.data.read,
            "Read every data file, but those that nobody touched since they were last read");
  line.flag("--paranoid", options.data.paranoid, "Like --data, those too");
  line.size("--budget", options.data.budget,
            "Like --data, but read about so much, e.g. 200G, of what has longest not been read");
  line.in(Group::output)
      .choice("--format", {"text", "json"}, command->format, "How to say it (default: text)");
  line.text("--repair-from", "PLACE", options.repair_from,
            "Fetch what is missing or damaged from this directory or URL, by its digest; sign "
            "again what one good signature vouches for");
  line.flag("--drop-broken", options.drop_broken,
            "Take versions whose files stay broken out of the metadata");
  add_allow_drop(line, options.allow_drop,
                 "With --drop-broken: this product may lose its last version");
  add_publish_options(line, options.publish, command->flags);
  add_trust_options(line, options.trust);
  add_http_options(line, command->running,
                   "Files read, or downloaded, at a time (default: cores, and 4)", "-j,--jobs");
  return action_of(command, run);
}

}  // namespace cli

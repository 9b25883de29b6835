#include <optional>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "cli/build_options.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/publish_options.h"
#include "meph2/build/build.h"
#include "meph2/image/root/detect.h"

namespace {

struct BuildCommand : cli::VerbCommand<meph2::BuildImageOptions> {
  bool plan = false;
  std::optional<std::string> why;  ///< product of --why
  std::string format;              ///< of --plan and --why; empty: text
};

/// Best effort: the failure itself counts. What was published is not reported as failed.
void report_failure(const BuildCommand& command, const base::Error& error, const base::Log& log) {
  const auto& options = command.options;
  if (command.flags.report.empty() || options.publish.dry_run ||
      error.code() == base::Errc::usage || error.code() == base::Errc::cleanup_incomplete ||
      error.code() == base::Errc::durability_unknown) {
    return;
  }
  try {
    io::Json report{{"action", options.publish.action}, {"error", error.what()}};
    const auto logs = meph2::logs_of(options.target, options.request.release, options.request.arch,
                                     options.request.version_name);
    if (base::exists_at(AT_FDCWD, logs)) {
      report["logs"] = logs;
    }
    base::replace_file(command.flags.report, io::to_text(report));
  } catch (const std::exception& other) {
    log.warning(base::cat("write the report: ", other.what()));
  }
}

meph2::BuildImageResult build_or_report(const BuildCommand& command,
                                        const sstream::Context& context) {
  try {
    return meph2::build_image(command.options, context);
  } catch (const base::Error& error) {
    report_failure(command, error, context.log);
    throw;
  } catch (const base::Stopped& stop) {
    report_failure(command, {base::Errc::failed, stop.message()}, context.log);
    throw;
  }
}

void require_format(const BuildCommand& command) {
  if (!command.format.empty() && !command.plan && !command.why) {
    throw base::Error(base::Errc::usage, "--format: only --plan and --why print in a format");
  }
  if (command.format == "dot" && !command.plan) {
    throw base::Error(base::Errc::usage, "--format=dot: only --plan has a graph to print");
  }
}

int why(const BuildCommand& command, const sstream::Context& context) {
  const auto answer = meph2::why_image(command.options, *command.why, context);
  if (command.format == "json") {
    cli::print_json(meph2::json_of(answer));
  } else {
    cli::print_lines(meph2::lines_of(answer));
  }
  return base::exit_done;
}

int plan(const BuildCommand& command, const sstream::Context& context) {
  const auto graph = meph2::plan_image(command.options, context);
  if (command.format == "json") {
    cli::print_json(meph2::graph_json(graph));
  } else if (command.format == "dot") {
    cli::print_text(meph2::graph_dot(graph));
  } else {
    cli::print_lines(meph2::graph_lines(graph));
  }
  return base::exit_done;
}

int build(BuildCommand& command, const sstream::Context& context) {
  const auto& options = command.options;
  const auto result = build_or_report(command, context);
  auto report = cli::report_of_items(result.items, result.published, options.publish);
  report["built"] = result.built;
  if (!result.reused.empty()) {
    report["reused"] = result.reused;
  }
  for (const auto& stage : result.stages) {
    report["stages"].push_back({{"label", stage.label},
                                {"log", stage.log},
                                {"name", stage.name},
                                {"outcome", stage.outcome},
                                {"seconds", stage.seconds}});
  }
  auto lines = cli::lines_of_items(result.items, "add ");
  if (lines.empty()) {
    lines.emplace_back("nothing to do");
  }
  return cli::finish(report, lines, command.flags);
}

int run(BuildCommand& command, const sstream::Context& context) {
  if (command.plan) {
    return plan(command, context);
  }
  return command.why ? why(command, context) : build(command, context);
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<BuildCommand>();
  auto& options = command->options;
  options.publish.action = "build";
  options.publish.sign = false;
  line.word("ARCH", options.request.arch, "Debian's name of the architecture, e.g. amd64");
  line.word("RELEASE", options.request.release, "Code name of the release, e.g. noble");
  line.word("VERSION", options.request.version_name, "Name of the new version, e.g. 20240501");
  line.word("SOURCE", options.source, "Cloud image to build from: a file, or an http(s) URL");
  line.word("OUT_D", options.target, "Data directory of the stream; made if absent");
  line.text("--image-format", "FORMAT", options.request.image_format,
            base::cat("Format of the source: ", base::join(meph2::image::image_formats(), ", "),
                      " (default: by its content)"));
  line.text("--flat-json", "FILE", options.flat_json, "Write the items, flat, to this file");
  auto& plan =
      line.flag("--plan", command->plan,
                "Build nothing and write nothing: print what would be made of what, and why");
  line.text("--why", "PRODUCT", command->why,
            "Build nothing and write nothing: print what has changed since the newest "
            "published version of this product was built")
      .excludes(plan);
  line.in(cli::Group::output)
      .choice("--format", {"text", "json", "dot"}, command->format,
              "Form of what --plan and --why print (default: text); dot is for --plan");
  line.flag_off("--rebuild", options.reuse,
                "Build also what is made from just the same as a published version");
  cli::add_build_options(
      line,
      {options.config, options.enable_di, options.installer, options.request, options.builder},
      command->running);
  cli::add_publish_options(line, options.publish, command->flags);
  return [command, line](const sstream::Context& context) {
    require_format(*command);
    command->options.builder.verbosity = line.verbosity();
    command->options.builder.jobs = command->running.jobs.value_or(0);
    return cli::run_with(command->running, context,
                         [&](const sstream::Context& full) { return run(*command, full); });
  };
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"meph2-build", "Builds the boot images of one cloud image into a stream for MAAS",
       "meph2-build --config conf/meph-v3.yaml amd64 noble 20240501 noble.squashfs "
       "build-output.d\n"
       "meph2-build --plan --format dot amd64 noble 20240501 noble.squashfs build-output.d",
       declare});
}

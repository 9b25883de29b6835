#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/build_options.h"
#include "cli/program.h"
#include "cli/publish_options.h"
#include "meph2/cloudimg/sync.h"

namespace {

using SyncCommand = cli::VerbCommand<meph2::CloudimgSyncOptions>;

io::Json report_of(const meph2::CloudimgSyncResult& result,
                   const sstream::PublishOptions& options) {
  auto report = cli::report_of_items(result.items,
                                     result.published.value_or(sstream::PublishResult()), options);
  auto& images = report["images"] = io::Json::array();
  for (const auto& image : result.images) {
    io::Json entry{{"built", image.built}, {"name", image.name}, {"source", image.source}};
    for (const auto& [key, value] :
         {std::pair("reused", image.reused), std::pair("error", image.error),
          std::pair("logs", image.logs)}) {
      if (!value.empty()) {
        entry[key] = value;
      }
    }
    images.push_back(std::move(entry));
  }
  return report;
}

/// A dry run prints what the real run then prints.
std::vector<std::string> lines_of(const meph2::CloudimgSyncResult& result) {
  std::vector<std::string> lines;
  for (const auto& image : result.images) {
    if (image.error.empty() && image.built) {
      lines.push_back(base::cat("build ", image.name, " from ", base::redact_urls(image.source)));
    }
  }
  for (const auto& image : result.images) {
    if (!image.reused.empty()) {
      lines.push_back(base::cat("take ", image.name, " from ", image.reused));
    }
  }
  const auto added = cli::lines_of_items(result.items, "add ");
  lines.insert(lines.end(), added.begin(), added.end());
  if (lines.empty() && result.published && result.published->changed) {
    lines.emplace_back("update the metadata");
  }
  if (lines.empty() && !result.failed()) {
    lines.emplace_back("nothing to do");
  }
  return lines;
}

int sync(SyncCommand& command, const sstream::Context& context) {
  const auto result = meph2::cloudimg_sync(command.options, context);
  const int done =
      cli::finish(report_of(result, command.options.publish), lines_of(result), command.flags);
  return result.failed() ? base::exit_failed : done;
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<SyncCommand>();
  auto& options = command->options;
  options.publish.action = "cloudimg-sync";
  options.publish.sign = false;
  line.word("OUT_D", options.output, "Data directory of the stream to build; made if absent");
  line.rest("FILTER", options.filters,
            "Only images that match, e.g. release=noble 'arch~(amd64|arm64)'");
  line.text("--source", "URL", options.source,
            "Stream of cloud images: an index or products file, a directory or URL "
            "(default: the configuration's, else the daily one)");
  line.text("--target", "URL|force", options.target,
            "MAAS stream to compare with and to carry over; 'force' is an empty one "
            "(default: the configuration's)");
  line.number("--max", options.max, "Build the N newest versions (default: 1)");
  line.words("--arches", options.arches,
             "Architectures, comma separated (default: what this machine can build)");
  line.list("--rebuild", "OLD:NEW", options.rebuild, "Build version OLD again, under the name NEW");
  line.flag_off("--no-reuse", options.reuse,
                "Build also what is made from just the same as a published version");
  cli::add_build_options(
      line,
      {options.config, options.enable_di, options.installer, options.request, options.builder},
      command->running);
  cli::add_trust_options(line, options.trust);
  cli::add_replay_options(line, options.trust);
  cli::add_publish_options(line, options.publish, command->flags);
  cli::add_guard_options(line, options.publish.rails);
  return [command, line](const sstream::Context& context) {
    command->options.builder.verbosity = line.verbosity();
    command->options.builder.jobs = command->running.jobs.value_or(0);
    return cli::run_with(command->running, context,
                         [&](const sstream::Context& full) { return sync(*command, full); });
  };
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"meph2-cloudimg-sync",
       "Builds boot images for MAAS of the newest cloud images, and publishes them as a stream",
       "meph2-cloudimg-sync --config conf/meph-v3.yaml --arches=amd64 build-output.d "
       "release=noble\n"
       "meph2-cloudimg-sync --config conf/debian.yaml --source "
       "https://example.com/debian/streams/v1/index.sjson \\\n"
       "  --keyring debian-images.gpg --target=force build-output.d",
       declare});
}

#include "meph2/installer/netboot_mirror.h"

#include "base/error.h"
#include "base/strings.h"
#include "cli/publish_options.h"

namespace {

using MirrorCommand = cli::VerbCommand<meph2::NetbootMirrorOptions>;

io::Json report_of(const meph2::NetbootMirrorResult& result,
                   const sstream::PublishOptions& options) {
  auto report = cli::report_of_items(result.items, result.published, options);
  auto& removed = report["removed"] = io::Json::array();
  for (const auto& version : result.removed) {
    removed.push_back(version.text());
  }
  return report;
}

std::vector<std::string> lines_of(const meph2::NetbootMirrorResult& result,
                                  const sstream::PublishOptions& options) {
  if (!options.dry_run || !result.published.changed) {
    return {cli::outcome_of(result.published)};
  }
  auto lines = cli::lines_of_items(result.items, "+ ");
  for (const auto& version : result.removed) {
    lines.push_back(base::cat("- ", version.text()));
  }
  return lines;
}

int run(MirrorCommand& command, const sstream::Context& context) {
  const auto& options = command.options;
  if (options.keep && !options.max) {
    throw base::Error(base::Errc::usage, "--keep needs --max N: so many versions may stay");
  }
  const auto result = meph2::netboot_mirror(options, context);
  return cli::finish(report_of(result, options.publish), lines_of(result, options.publish),
                     command.flags);
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<MirrorCommand>();
  auto& options = command->options;
  options.publish.action = "netboot-mirror";
  options.publish.create = true;
  line.word("OUT_D", options.target, "Data directory of the stream; made if absent");
  line.rest("FILTER", options.filters,
            "Only items that match, e.g. ftype=kernel 'kernel-flavor~^generic'");
  line.words("--releases", options.releases,
             "Code names, comma separated (default: the configuration's, else those that Ubuntu "
             "supports)");
  line.words("--arches", options.arches,
             "Architectures, comma separated (default: the configuration's, else all)");
  line.words("--pockets", options.pockets,
             "Of release, updates, security and proposed, comma separated (default: the "
             "configuration's, else the first three)");
  line.flag("--proposed", options.proposed, "Look into the -proposed pocket, too");
  line.text("--config", "FILE", options.config,
            "Archives, releases and architectures: a file in the format of "
            "conf/meph-v3.yaml (default: Ubuntu's)");
  line.list("--mirror", "URL", options.installer.mirrors,
            "Archive, above dists/; more of them are tried in turn (default: by architecture)");
  const auto trust = line.in(cli::Group::trust);
  trust.text("--keyring", "FILE", options.installer.keyring,
             "The archive must be signed by a key of this file (default: the configuration's, "
             "else Ubuntu's)");
  trust.flag("--no-verify", options.installer.no_verify, "Do not verify the archive's signatures");
  trust.flag("--allow-md5", options.installer.allow_md5,
             "Take an installer that has no better digests than MD5SUMS");
  line.number("--max", options.max, "Only the N newest versions of each product");
  line.flag("--keep", options.keep,
            "Keep versions that the archive has no longer, as long as --max allows");
  // The names of versions are the archive's: as strings, "+deb12u15" is before "+deb12u9".
  cli::add_publish_options(line, options.publish, command->flags, "warn");
  cli::add_guard_options(line, options.publish.rails);
  cli::add_http_options(line, command->running);
  cli::add_log_file(line, command->running);
  return cli::action_of(command, run);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"netboot-mirror",
       "Publishes the debian-installer's kernels of a package archive as a stream",
       "netboot-mirror --dry-run --releases=bionic --arches=amd64,arm64 netboot.d\n"
       "netboot-mirror --config conf/debian.yaml --mirror http://deb.debian.org/debian netboot.d",
       declare});
}

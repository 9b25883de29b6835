#include "meph2/installer/netboot_mirror.h"

#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "cli/build_options.h"
#include "cli/http_options.h"
#include "cli/program.h"
#include "cli/publish_options.h"

namespace {

struct MirrorCommand {
  meph2::NetbootMirrorOptions options;
  std::vector<std::string> releases;  ///< each may be a list
  std::vector<std::string> arches;
  std::vector<std::string> pockets;
  cli::HttpFlags http;
  cli::PublishFlags flags;
  std::string log_file;
};

void add_all(const std::vector<std::string>& lists, std::vector<std::string>& into) {
  for (const auto& list : lists) {
    for (auto& word : base::split_list(list, ',')) {
      into.push_back(std::move(word));
    }
  }
}

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
  std::vector<std::string> lines;
  for (const auto& [pedigree, path] : result.items) {
    lines.push_back(base::cat("+ ", pedigree.text(), " ", path));
  }
  for (const auto& version : result.removed) {
    lines.push_back(base::cat("- ", version.text()));
  }
  return lines;
}

int run(MirrorCommand& command, const sstream::Context& context) {
  auto& options = command.options;
  add_all(command.releases, options.releases);
  add_all(command.arches, options.arches);
  add_all(command.pockets, options.pockets);
  if (options.keep && !options.max) {
    throw base::Error(base::Errc::usage, "--keep needs --max N: so many versions may stay");
  }
  const auto result = meph2::netboot_mirror(options, context);
  return cli::finish(report_of(result, options.publish), lines_of(result, options.publish),
                     command.flags);
}

void declare_source(const cli::Options& line, MirrorCommand& command) {
  auto& options = command.options;
  line.list("--releases", "A,B,...", command.releases,
            "Code names, comma separated (default: the configuration's, else those that Ubuntu "
            "supports)");
  line.list("--arches", "A,B,...", command.arches,
            "Architectures, comma separated (default: the configuration's, else all)");
  line.list("--pockets", "A,B,...", command.pockets,
            "Of release, updates, security and proposed, comma separated (default: the "
            "configuration's, else the first three)");
  line.flag("--proposed", options.proposed, "Look into the -proposed pocket, too");
  line.text("--config", "FILE", options.config,
            "Archives, releases and architectures: a file in the format of "
            "conf/meph-v3.yaml (default: Ubuntu's)");
  line.list("--mirror", "URL", options.installer.mirrors,
            "Archive, above dists/; more of them are tried in turn (default: by architecture)");
  line.in(cli::Group::trust)
      .text("--keyring", "FILE", options.installer.keyring,
            "The archive must be signed by a key of this file (default: the configuration's, "
            "else Ubuntu's)");
  line.in(cli::Group::trust)
      .flag("--no-verify", options.installer.no_verify, "Do not verify the archive's signatures");
  line.in(cli::Group::trust)
      .flag("--allow-md5", options.installer.allow_md5,
            "Take an installer that has no better digests than MD5SUMS");
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<MirrorCommand>();
  auto& options = command->options;
  options.publish.action = "netboot-mirror";
  options.publish.create = true;
  line.word("OUT_D", options.target, "Data directory of the stream; made if absent");
  line.rest("FILTER", options.filters,
            "Only items that match, e.g. ftype=kernel 'kernel-flavor~^generic'");
  declare_source(line, *command);
  line.number("--max", options.max, "Only the N newest versions of each product");
  line.flag("--keep", options.keep,
            "Keep versions that the archive has no longer, as long as --max allows");
  // The names of versions are the archive's: as strings, "+deb12u15" is before "+deb12u9".
  cli::add_publish_options(line, options.publish, command->flags, "warn");
  cli::add_guard_options(line, options.publish.rails);
  cli::add_http_options(line, command->http);
  cli::add_log_file(line, command->log_file);
  return [command](const sstream::Context& context) {
    return cli::with_log_file(command->log_file, context, [&](const sstream::Context& logged) {
      return cli::with_http(command->http, logged,
                            [&](const sstream::Context& full) { return run(*command, full); });
    });
  };
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

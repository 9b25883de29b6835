#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/publish_options.h"
#include "meph2/janitor/reap_orphans.h"
#include "sstream/janitor/unlisted.h"
#include "sstream/mirror/mirror.h"

namespace {

struct MirrorCommand : cli::VerbCommand<sstream::MirrorOptions> {
  std::chrono::seconds grace = std::chrono::hours(72);
  std::optional<bool> sign;
  bool no_checksumming = false;
  bool progress = true;
};

constexpr std::uint64_t megabyte = 1U << 20U;

std::string line_of(char sign, const sstream::FileEntry& listed) {
  const auto& [file, item] = listed;
  return base::cat(sign, " ", item.product, " ", item.version, " ", item.item, " ", file.path, " ",
                   file.expected.size / megabyte, " Mb");
}

/// As the established tool prints them.
void print_plan(const sstream::MirrorResult& result) {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  if (result.published.files) {
    result.published.files->for_each([&](const sstream::FileEntry& listed) {
      added += listed.file.expected.size;
      cli::print_line(base::escape_control(line_of('+', listed)));
    });
  }
  for (const auto& listed : result.removed) {
    removed += listed.file.expected.size;
    cli::print_line(base::escape_control(line_of('-', listed)));
  }
  const auto change = added >= removed ? added - removed : removed - added;
  cli::print_line(
      base::cat(added >= removed || change < megabyte ? "" : "-", change / megabyte, " Mb change"));
}

io::Json report_of(const sstream::MirrorResult& result, const sstream::PublishOptions& options,
                   std::size_t reaped) {
  auto report = sstream::report_of(result.published, options);
  report["contents"] = result.contents;
  report["items"] = result.items;
  report["left_out"] = result.left_out;
  report["reaped"] = reaped;
  report["unchanged"] = result.unchanged;
  report["unlisted"] = result.unlisted;
  return report;
}

/// What has not been listed for the whole grace goes, as the janitor lets things go.
std::size_t reap(const MirrorCommand& command, const sstream::Context& context) {
  const auto& target = command.options.target;
  if (!sstream::unlisted_for(target, command.grace, context)) {
    return 0;
  }
  meph2::ReapOrphansOptions options;
  options.orphans = sstream::unlisted_files(target);
  options.data_d = target;
  options.older = command.grace;
  options.now = command.grace.count() == 0;
  options.allow_empty = true;
  options.yes = true;  // the list is our own
  options.lock_timeout = command.options.publish.lock_timeout;
  try {
    const auto result = meph2::reap_orphans(options, context);
    if (!result.reaped.empty()) {
      context.log.info(base::cat("removed ", result.reaped.size(), " files, ",
                                 base::human_bytes(result.bytes),
                                 ", that are not listed any more"));
    }
    return result.reaped.size();
  } catch (const base::Error& error) {
    throw error.becomes(base::Errc::cleanup_incomplete, "the mirror is up to date");
  }
}

int run(const MirrorCommand& command, const sstream::Context& context) {
  const auto result = sstream::mirror(command.options, context);
  const auto& publish = command.options.publish;
  if (publish.dry_run) {
    if (command.flags.dry_run == "text") {
      print_plan(result);
    }
    return cli::finish(report_of(result, publish, 0), {}, command.flags);
  }
  const auto reaped = reap(command, context);
  return cli::finish(report_of(result, publish, reaped),
                     {result.published.changed && result.published.generation.empty()
                          ? base::cat("mended ", result.published.file_count, " files, ",
                                      base::human_bytes(result.published.bytes))
                          : cli::outcome_of(result.published)},
                     command.flags);
}

int run_logged(MirrorCommand& command, const sstream::Context& context) {
  auto& options = command.options;
  if (command.sign) {
    options.signing =
        *command.sign ? sstream::MirrorSigning::always : sstream::MirrorSigning::never;
  }
  if (command.no_checksumming) {
    context.log.warning("--no-checksumming-reader: files are verified all the same");
  }
  base::NullProgress silent;
  const auto chosen = command.progress ? context : context.with(silent);
  return cli::run_with(command.running, chosen,
                       [&](const sstream::Context& full) { return run(command, full); });
}

void declare_choice(const cli::Options& line, MirrorCommand& command) {
  auto& options = command.options;
  line.word("SOURCE", options.source,
            "Stream to mirror: a directory, an index or products file, or an http(s) URL");
  line.word("OUTPUT_D", options.target, "Data directory of the mirror; made if absent");
  line.rest("FILTER", options.filters,
            "Only items that match, e.g. arch=amd64 'release~(noble|jammy)'");
  line.number("--max", options.max, "Only the N newest versions of each product");
  line.flag("--keep", options.keep,
            "Keep versions that the source has no longer, as long as --max allows");
  line.text("--path", "PATH", options.path,
            "Path of the index or products file below SOURCE (default: "
            "streams/v1/index.sjson, else index.json)");
  line.list("--mirror", "URL", options.mirrors,
            "Another place of the same stream, tried where SOURCE fails (may be repeated)");
  line.flag_off("--no-item-download,--item-skip-download", options.files,
                "Mirror the metadata only: what it lists is not there");
  line.flag("--exact", options.exact,
            "Publish the source's own files, signatures included; refused where a filter or "
            "--max leaves out what they list");
  line.flag("--verify", options.verify,
            "Read the files that are there, and fetch damaged ones again");
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<MirrorCommand>();
  auto& options = command->options;
  options.publish.action = "mirror";
  options.publish.create = true;
  options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  declare_choice(line, *command);
  line.duration("--grace", command->grace,
                "How long files stay that are not listed any more (default: 3d)");
  cli::add_http_options(line, command->running);
  cli::add_source_options(line, options.trust, "-U,--no-verify");
  cli::add_dry_run(line, options.publish.dry_run, command->flags);
  line.in(cli::Group::publication)
      .either("--sign", "-u,--no-sign", command->sign,
              "Sign the mirror, or do not (default: where the source is signed)");
  cli::add_signing_key(line, options.publish.key);
  // What the source has wrong is not ours to mend.
  cli::add_lint_gate(line, options.publish, command->flags, "warn");
  cli::add_guard_options(line, options.publish.rails);
  cli::add_lock_and_report(line, options.publish.lock_timeout, command->flags);
  line.in(cli::Group::output)
      .either("--progress", "--no-progress", command->progress,
              "Tell progress on stderr (the default), or do not");
  line.flag("--no-checksumming-reader", command->no_checksumming,
            "Accepted and ignored: every file is verified");
  cli::add_log_file(line, command->running);
  return [command](const sstream::Context& context) { return run_logged(*command, context); };
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"sstream-mirror", "Makes and refreshes a mirror of a simplestream",
       "sstream-mirror --keyring keyring.gpg --max=2 https://images.example.com/daily mirror.d "
       "release=noble arch=amd64\n"
       "sstream-mirror --exact --keyring keyring.gpg https://images.example.com/daily mirror.d",
       declare});
}

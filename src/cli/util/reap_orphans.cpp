#include "meph2/janitor/reap_orphans.h"

#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using ReapOrphansCommand = VerbCommand<meph2::ReapOrphansOptions>;

std::string stamp_of(const sstream::Orphan& orphan) {
  return orphan.stamp.empty() ? base::format_stamp(orphan.since.value_or(base::Time()))
                              : orphan.stamp;
}

std::vector<std::string> lines_of(const meph2::ReapOrphansResult& result) {
  std::vector<std::string> lines;
  for (const auto& orphan : result.reaped) {
    lines.push_back(base::cat("Reaping ", orphan.path, " orphaned on ", stamp_of(orphan)));
  }
  for (const auto& kept : result.kept) {
    lines.push_back(base::cat("Keeping ", kept.path, ": ", kept.reason));
  }
  lines.push_back(base::cat(result.reaped.size(), " reaped (", base::human_bytes(result.bytes),
                            "), ", result.young + result.capped, " wait, ", result.kept.size(),
                            " kept, ", result.named.size(), " named again, ", result.gone,
                            " gone already, ", result.rejected.size(), " rejected"));
  return lines;
}

io::Json reasons_of(const std::vector<meph2::KeptOrphan>& entries) {
  io::Json out = io::Json::object();
  for (const auto& entry : entries) {
    // An entry of the list may be anything, a report is UTF-8.
    out[base::escape_control(entry.path)] = base::escape_control(entry.reason);
  }
  return out;
}

io::Json report_of(const ReapOrphansCommand& command, const meph2::ReapOrphansResult& result) {
  io::Json reaped = io::Json::object();
  for (const auto& orphan : result.reaped) {
    reaped[orphan.path] = stamp_of(orphan);
  }
  return {{"action", "reap-orphans"},           {"bytes", result.bytes},
          {"dry_run", command.options.dry_run}, {"gone", result.gone},
          {"kept", reasons_of(result.kept)},    {"named", reasons_of(result.named)},
          {"reaped", std::move(reaped)},        {"rejected", reasons_of(result.rejected)},
          {"remaining", result.remaining},      {"waiting", result.young + result.capped}};
}

}  // namespace

Action declare_reap_orphans(const Options& line) {
  auto command = std::make_shared<ReapOrphansCommand>();
  auto& options = command->options;
  line.word("ORPHANS", options.orphans, "The list that find-orphans made");
  line.word("DATA_D", options.data_d, "Directory of the data files");
  line.rest("STREAM", options.streams,
            "Streams that use it (default: those that find-orphans recorded)");
  line.duration("--older", options.older, "Only what was orphaned longer ago (default: 3d)");
  line.flag("--now", options.now, "Whatever its age; everything else is still asked for");
  line.duration("--trash", options.trash,
                "How long reaped files wait in the trash (default: 1d; 0d: not at all)");
  line.number("--max-files", options.max_files, "Not more files in this run, the oldest first");
  line.size("--max-bytes", options.max_bytes, "Not more bytes in this run, the oldest first");
  line.flag("--yes", options.yes, "Even if more than half of the bytes would go");
  line.flag("--allow-empty", options.allow_empty, "A stream that names no file is no error");
  line.in(Group::trust)
      .text("--keyring", "FILE", options.keyring,
            "Every stream must be signed by a key of this file (default: that of find-orphans)");
  add_dry_run(line, options.dry_run, command->flags);
  add_lock_and_report(line, options.lock_timeout, command->flags);
  return [command](const sstream::Context& context) {
    const auto& wanted = command->options;
    context.log.info(
        base::cat("starting: orphan_data=", wanted.orphans, " data_d=", wanted.data_d));
    const auto result = meph2::reap_orphans(wanted, context);
    for (const auto& entry : result.rejected) {
      context.log.warning(base::cat("'", entry.path, "': ", entry.reason));
    }
    const int done =
        finish(command->flags.wants_report() ? report_of(*command, result) : io::Json(),
               lines_of(result), command->flags);
    context.log.info(base::cat("done: ", result.reaped.size(), " reaped, ", result.remaining,
                               " orphan(s) remain listed"));
    return result.incomplete() ? base::exit_cleanup_incomplete : done;
  };
}

}  // namespace cli

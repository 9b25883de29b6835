#include "meph2/janitor/find_orphans.h"

#include "base/strings.h"
#include "cli/print.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using FindOrphansCommand = VerbCommand<meph2::FindOrphansOptions>;

io::Json report_of(const FindOrphansCommand& command, const meph2::FindOrphansResult& result) {
  io::Json files = io::Json::object();
  for (const auto& orphan : result.list.orphans) {
    files[orphan.path] = base::format_stamp(*orphan.since);
  }
  io::Json streams = io::Json::array();
  for (const auto& stream : result.list.streams) {
    streams.push_back(stream.root);
  }
  return {{"action", "find-orphans"},
          {"added", result.added},
          {"bytes", result.bytes},
          {"dropped", result.dropped},
          {"dry_run", command.options.dry_run},
          {"orphans", std::move(files)},
          {"restarted", result.restarted},
          {"special", result.special},
          {"streams", std::move(streams)},
          {"young", result.young}};
}

}  // namespace

Action declare_find_orphans(const Options& line) {
  auto command = std::make_shared<FindOrphansCommand>();
  auto& options = command->options;
  line.word("ORPHANS", options.orphans, "The list to make or bring up to date; - prints it");
  line.word("DATA_D", options.data_d, "Directory of the data files");
  line.rest("STREAM", options.streams,
            "Streams that use it: directories, indexes, products files, or quoted patterns of such "
            "(default: DATA_D itself)");
  line.in(Group::trust)
      .text("--keyring", "FILE", options.keyring,
            "Every stream must be signed by a key of this file");
  line.in(Group::trust).flag("--require-signed", options.require_signed, "Refuse unsigned streams");
  line.flag("--allow-empty", options.allow_empty, "A stream that names no file is no error");
  line.flag("--rebuild", options.rebuild, "Forget what the list holds: every date begins anew");
  add_dry_run(line, options.dry_run, command->flags);
  add_lock_and_report(line, options.lock_timeout, command->flags);
  return [command](const sstream::Context& context) {
    const auto& wanted = command->options;
    context.log.info(base::cat("starting: orphan_data=", wanted.orphans, " data_d=", wanted.data_d,
                               " streams=[", base::join(wanted.streams, ", "), "]"));
    const auto result = meph2::find_orphans(wanted, context);
    if (result.young > 0) {
      context.log.info(base::cat(result.young, " files left out: somebody is adding files now"));
    }
    if (!result.special.empty()) {
      context.log.info(base::cat(result.special.size(), " links and special files left alone: ",
                                 result.special.front(), result.special.size() > 1 ? ", ..." : ""));
    }
    const bool prints_map = wanted.orphans == "-" && command->flags.dry_run != "json";
    if (prints_map) {
      result.list.write_map(print_text);
    }
    const auto summary = base::cat(result.list.orphans.size(), " orphans (",
                                   base::human_bytes(result.bytes), "), ", result.added, " new, ",
                                   result.dropped, " dropped, ", result.restarted, " restarted");
    context.log.info(
        base::cat("done: ", result.list.orphans.size(), " orphan(s) recorded to ", wanted.orphans));
    return finish(command->flags.wants_report() ? report_of(*command, result) : io::Json(),
                  prints_map ? std::vector<std::string>{} : std::vector<std::string>{summary},
                  command->flags);
  };
}

}  // namespace cli

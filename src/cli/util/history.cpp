#include "meph2/verbs/history.h"

#include <memory>

#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using Row = meph2::HistoryResult::Row;

struct HistoryCommand {
  meph2::HistoryOptions options;
  std::optional<std::uint64_t> limit;
  bool json = false;
};

/// "+2 -1 versions in 3 products, -1 products" out of HistoryEntry::changes.
std::string summary_of(const io::Json& changes) {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t touched = 0;
  std::uint64_t new_products = 0;
  std::uint64_t lost_products = 0;
  std::uint64_t lost_contents = 0;
  for (const auto& content : changes) {
    lost_contents += content.is_null() ? 1U : 0U;
    for (const auto& product : content) {
      const auto before = product.at(0).get<std::uint64_t>();
      const auto after = product.at(1).get<std::uint64_t>();
      added += after > before ? after - before : 0;
      removed += before > after ? before - after : 0;
      new_products += before == 0 ? 1U : 0U;
      lost_products += after == 0 ? 1U : 0U;
      ++touched;
    }
  }
  std::vector<std::string> parts;
  if (touched > 0) {
    parts.push_back(base::cat("+", added, " -", removed, " versions in ", touched, " products"));
  }
  for (const auto& [count, what] :
       {std::pair(new_products, " products new"), std::pair(lost_products, " products gone"),
        std::pair(lost_contents, " contents gone")}) {
    if (count > 0) {
      parts.push_back(base::cat(count, what));
    }
  }
  return parts.empty() ? "metadata or signatures only" : base::join(parts, ", ");
}

std::string line_of(const Row& row) {
  const auto& entry = row.entry;
  std::vector<std::string> marks;
  for (const auto& [is_so, mark] :
       {std::pair(row.live, "live"), std::pair(row.kept, "kept"),
        std::pair(row.edited, "on metadata that something else had edited")}) {
    if (is_so) {
      marks.emplace_back(mark);
    }
  }
  return base::cat(sstream::generation_name(entry.generation), "  ", entry.when, "  ", entry.action,
                   "  ", entry.who, "  ", summary_of(entry.changes), "; ", entry.files, " files, ",
                   base::human_bytes(entry.bytes),
                   marks.empty() ? "" : base::cat("  [", base::join(marks, ", "), "]"));
}

io::Json json_of(const Row& row) {
  const auto& entry = row.entry;
  return {{"action", entry.action},   {"bytes", entry.bytes},
          {"changes", entry.changes}, {"command", entry.command},
          {"details", entry.details}, {"edited_before", row.edited},
          {"files", entry.files},     {"generation", sstream::generation_name(entry.generation)},
          {"kept", row.kept},         {"live", row.live},
          {"when", entry.when},       {"who", entry.who}};
}

void print(const HistoryCommand& command, const meph2::HistoryResult& result) {
  const auto count = result.rows.size();
  const auto shown = std::min<std::size_t>(command.limit.value_or(count), count);
  io::Json all = io::Json::array();
  for (auto i = count - shown; i < count; ++i) {
    if (command.json) {
      all.push_back(json_of(result.rows[i]));
    } else {
      print_line(base::escape_control(line_of(result.rows[i])));
    }
  }
  if (command.json) {
    print_json({{"edited_since", result.edited_since}, {"history", all}});
  }
}

}  // namespace

Action declare_history(const Options& line) {
  auto command = std::make_shared<HistoryCommand>();
  line.word("DATA_D", command->options.target, "Data directory");
  line.text("--action", "VERB", command->options.action, "Only this verb, e.g. promote");
  line.number("--limit", command->limit, "Only the N newest");
  line.in(Group::output)
      .flag("--json", command->json, "As JSON, with the commands and the details");
  return [command](const sstream::Context& context) {
    const auto result = meph2::history(command->options);
    if (result.unreadable > 0) {
      context.log.warning(base::cat(command->options.target, "/.data/.sstream/history.jsonl: ",
                                    result.unreadable, " unreadable lines are left out"));
    }
    print(*command, result);
    if (result.edited_since) {
      context.log.warning(
          base::cat(command->options.target,
                    "/streams/v1 was edited by something else since the last publication"));
    }
    return static_cast<int>(base::exit_done);
  };
}

}  // namespace cli

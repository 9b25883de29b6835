#include "meph2/verbs/status.h"

#include <memory>

#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

using meph2::StatusResult;

struct StatusCommand {
  meph2::StatusOptions options;
  std::chrono::seconds max_age{0};
  bool json = false;
};

template <typename Number>
io::Json or_null(const std::optional<Number>& value) {
  return value ? io::Json(*value) : io::Json();
}

io::Json json_of(const StatusResult::Count& count) {
  return {{"bytes", count.bytes}, {"files", count.files}};
}

io::Json json_of(const StatusResult& result) {
  auto products = io::Json::array();
  for (const auto& product : result.products) {
    products.push_back(
        {{"age", or_null(product.age)}, {"newest", product.newest}, {"product", product.name}});
  }
  auto holds = io::Json::array();
  for (const auto& hold : result.holds) {
    holds.push_back(sstream::json_of(hold));
  }
  io::Json last;
  if (result.last) {
    last = {{"action", result.last->action},
            {"generation", sstream::generation_name(result.last->generation)},
            {"when", result.last->when},
            {"who", result.last->who}};
  }
  return {{"edited_since", result.edited_since},
          {"holds", std::move(holds)},
          {"index_age", or_null(result.index_age)},
          {"interrupted", result.interrupted},
          {"key_days", or_null(result.key_days)},
          {"last", std::move(last)},
          {"orphans", result.orphans ? json_of(*result.orphans) : io::Json()},
          {"problems", result.problems},
          {"products", std::move(products)},
          {"signer", result.signer},
          {"staged", json_of(result.staged)},
          {"trash", json_of(result.trash)},
          {"updated", result.updated}};
}

std::string text_of(std::int64_t seconds) {
  constexpr std::int64_t hour = 3600;
  const auto hours = seconds / hour;
  return hours < 48 ? base::cat(hours, "h") : base::cat(hours / 24, "d");
}

std::string text_of(const StatusResult::Count& count) {
  return base::cat(count.files, " files, ", base::human_bytes(count.bytes));
}

std::vector<std::string> lines_of(const StatusResult& result) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& name, const std::string& text) {
    lines.push_back(base::cat(name, ": ", text));
  };
  add("last publication",
      result.last ? base::cat(sstream::generation_name(result.last->generation), ", ",
                              result.last->action, ", ", result.last->when, ", ", result.last->who)
                  : std::string("none by this toolkit"));
  add("index",
      base::cat(result.updated.empty() ? "has no date" : result.updated,
                result.index_age ? base::cat(", ", text_of(*result.index_age), " old") : ""));
  add("key", result.signer.empty()
                 ? std::string("unsigned")
                 : base::cat(result.signer, result.key_days
                                                ? base::cat(", ", *result.key_days, " days left")
                                                : ", no expiry"));
  if (result.orphans) {
    add("orphans", text_of(*result.orphans));
  }
  add("staged", text_of(result.staged));
  add("trash", text_of(result.trash));
  if (result.interrupted) {
    add("interrupted", "a publication died; the next one clears up");
  }
  for (const auto& hold : result.holds) {
    add("hold", base::cat(hold.product, "@", hold.version, ", ", hold.by, ": ", hold.reason));
  }
  for (const auto& product : result.products) {
    add("product",
        base::cat(product.name, "  ", product.newest.empty() ? "no version" : product.newest,
                  product.age ? base::cat("  ", text_of(*product.age)) : ""));
  }
  for (const auto& problem : result.problems) {
    add("problem", problem);
  }
  return lines;
}

}  // namespace

Action declare_status(const Options& line) {
  auto command = std::make_shared<StatusCommand>();
  line.word("DATA_D", command->options.target, "Data directory");
  line.duration("--max-age", command->max_age, "An index older than this is a problem, e.g. 36h");
  line.flag_off("--no-orphans", command->options.orphans,
                "Do not look for files that nothing names (that walks the whole directory)");
  line.duration("--lock-timeout", command->options.lock_timeout,
                "How long to wait for other writers (default: 60s)");
  line.in(Group::output).flag("--json", command->json, "As JSON; ages in seconds");
  return [command](const sstream::Context& context) {
    auto options = command->options;
    if (command->max_age.count() > 0) {
      options.max_age = command->max_age;
    }
    const auto result = meph2::status(options, context);
    if (command->json) {
      print_json(json_of(result));
    } else {
      print_lines(lines_of(result));
    }
    return static_cast<int>(result.problems.empty() ? base::exit_done : base::exit_failed);
  };
}

}  // namespace cli

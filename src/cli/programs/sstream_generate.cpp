#include "base/error.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "sstream/generate/generate.h"

namespace {

using sstream::ItemChange;

struct GenerateCommand : cli::VerbCommand<sstream::GenerateOptions> {
  std::vector<std::string> places;  ///< the lists, and in the end the data directory
  std::vector<std::string> tags;
  std::string format;
};

const char* mark_of(ItemChange::Kind kind) {
  return kind == ItemChange::Kind::added ? "+" : kind == ItemChange::Kind::changed ? "~" : "-";
}

std::vector<std::string> lines_of(const sstream::GenerateResult& result, bool dry_run) {
  if (!dry_run || !result.published.changed) {
    return {cli::outcome_of(result.published)};
  }
  std::vector<std::string> lines;
  for (const auto& item : result.items) {
    lines.push_back(base::cat(mark_of(item.kind), " ", item.id.text(), item.path.empty() ? "" : " ",
                              item.path));
  }
  return lines;
}

io::Json report_of(const sstream::GenerateResult& result, const sstream::PublishOptions& options) {
  auto report = sstream::report_of(result.published, options);
  auto& items = report["items"] = io::Json::array();
  for (const auto& item : result.items) {
    items.push_back({{"change", mark_of(item.kind)},
                     {"content_id", item.content_id},
                     {"item", item.id.text()},
                     {"path", item.path}});
  }
  report["left_out"] = result.left_out;
  report["listed"] = result.listed;
  return report;
}

[[noreturn]] void fail(const std::string& reason) {
  throw base::Error(base::Errc::usage, reason);
}

/// What options mean together.
void settle(GenerateCommand& command) {
  auto& options = command.options;
  options.target = command.places.back();
  command.places.pop_back();
  options.lists = command.places;
  const bool scans = !options.scan.directory.empty();
  if (scans && !options.lists.empty()) {
    fail("--scan DIR and lists of items exclude each other: only OUT_D");
  }
  if (!scans && options.lists.empty()) {
    fail("nothing to publish: name a list of items, or --scan DIR, before OUT_D");
  }
  if (scans && options.content_id.empty()) {
    fail("--scan needs --content-id, e.g. com.example:images:download");
  }
  if (scans && (!options.look_at_files || !options.files.empty() || !command.format.empty())) {
    fail("--no-files, --files and --format are for lists of items");
  }
  if (!options.look_at_files && (!options.files.empty() || options.md5)) {
    fail("--no-files excludes --files and --md5");
  }
  options.format = command.format == "json"  ? sstream::ListFormat::json
                   : command.format == "tab" ? sstream::ListFormat::tab
                                             : sstream::ListFormat::detect;
  for (const auto& tag : command.tags) {
    const auto equals = tag.find('=');
    if (equals == 0 || equals == std::string::npos) {
      fail(base::cat("--tag '", tag, "': must be KEY=VALUE"));
    }
    options.tags[tag.substr(0, equals)] = tag.substr(equals + 1);
  }
}

int run(GenerateCommand& command, const sstream::Context& context) {
  settle(command);
  const auto& options = command.options;
  const auto result = sstream::generate(options, context);
  for (const auto& left_out : result.left_out) {
    context.log.warning(base::cat("left out: ", left_out));
  }
  return cli::finish(report_of(result, options.publish), lines_of(result, options.publish.dry_run),
                     command.flags);
}

void declare_input(const cli::Options& line, GenerateCommand& command) {
  auto& options = command.options;
  line.text("--scan", "DIR", options.scan.directory, "Publish the images below this directory");
  line.text("--layout", "PATTERN", options.scan.layout,
            "How paths below DIR are made up (default: {release}/{arch}/{version}/{item})");
  line.text("--product", "PRODUCT", options.scan.product,
            "How products are called, with the names of the layout and of tags (default: the "
            "content id, and what the layout says)");
  line.text("--content-id", "ID", options.content_id,
            "Content id of what is scanned, and of JSON items without one");
  line.choice("--format", {"json", "tab"}, command.format, "What lists are (default: by content)");
  line.choice("--datatype", {"image-downloads", "image-ids", "content-download"}, options.datatype,
              "What the stream is about (default: what the items say, else image-ids where they "
              "have ids and no files, else image-downloads)");
  line.list("--tag", "KEY=VALUE", command.tags,
            "A tag for all items that do not say otherwise (may be repeated)");
  line.text("--cloudname", "NAME", options.cloudname,
            "For image-ids: the index's cloudname, e.g. aws");
  line.text("--files", "DIR", options.files,
            "Where the listed files are (default: in OUT_D); what is not in OUT_D is copied");
  line.flag_off("--no-files", options.look_at_files,
                "Do not look at files: the list's sizes and digests are published");
  line.flag("--md5", options.md5, "Publish md5 digests beside sha256");
  line.flag("--add", options.add,
            "Keep what the stream has and the input has not (default: the content ids of the "
            "input become what it says)");
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<GenerateCommand>();
  auto& publish = command->options.publish;
  publish.action = "generate";
  publish.create = true;
  line.rest("OUT_D", command->places,
            "Lists of items, JSON or tab-separated, - for stdin; and the data directory to publish "
            "in, made if absent",
            "[INPUT]... OUT_D")
      .required();
  declare_input(line, *command);
  cli::add_publish_options(line, publish, command->flags);
  cli::add_guard_options(line, publish.rails);
  return [command](const sstream::Context& context) { return run(*command, context); };
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"sstream-generate", "Makes signed simplestreams of plain files",
       "sstream-generate items.json images.d\n"
       "sstream-generate --scan /srv/images --content-id com.example:images:download "
       "--tag os=debian images.d",
       declare});
}

#include "meph2/import/import.h"

#include "base/error.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

struct ImportCommand : VerbCommand<meph2::ImportOptions> {
  std::vector<std::string> files;  ///< ITEM=FILE
  std::vector<std::string> tags;   ///< KEY=VALUE
};

/// With --add the only positional is the target.
void settle(ImportCommand& command) {
  auto& options = command.options;
  if (command.files.empty()) {
    if (options.target.empty()) {
      throw base::Error(base::Errc::usage, "CONFIG and TARGET expected, or --add and TARGET");
    }
    return;
  }
  if (!options.target.empty()) {
    throw base::Error(base::Errc::usage, "with --add there is no CONFIG: only TARGET expected");
  }
  options.target = std::exchange(options.config, "");
  for (const auto& text : command.files) {
    options.artefact.files.push_back(meph2::import::parse_artefact(text));
  }
  for (const auto& text : command.tags) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw base::Error(base::Errc::usage, base::cat("--tag '", text, "': KEY=VALUE expected"));
    }
    options.artefact.tags[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

int run(ImportCommand& command, const sstream::Context& context) {
  settle(command);
  auto& options = command.options;
  const auto result = meph2::import_into(options, context);
  const auto published = result.published.value_or(sstream::PublishResult());
  auto lines = published_lines(result.items, published, options.publish);
  if (lines.empty()) {
    lines.emplace_back("nothing to do");
  }
  return finish(report_of_items(result.items, published, options.publish), lines, command.flags);
}

void add_artefact_options(const Options& line, ImportCommand& command) {
  auto& artefact = command.options.artefact;
  line.list("--add", "ITEM=FILE", command.files,
            "Instead of CONFIG: publish this file as that item, e.g. root-tgz=centos9.tar.gz "
            "(may be repeated)");
  line.text("--os", "NAME", artefact.os, "With --add: the operating system, e.g. centos");
  line.text("--release", "NAME", artefact.release, "With --add: its release, e.g. 9");
  line.text("--os-version", "VERSION", artefact.version,
            "With --add: the release's version (default: the release)");
  line.text("--arch", "ARCH", artefact.arch, "With --add: the architecture, e.g. amd64");
  line.text("--title", "TITLE", artefact.release_title,
            "With --add: what people see (default: OS RELEASE)");
  line.text("--label", "LABEL", artefact.label, "With --add: the label (default: candidate)");
  line.text("--support-eol", "YYYY-MM-DD", artefact.support_eol,
            "With --add: until when it is supported");
  line.text("--serial", "VERSION", artefact.serial,
            "With --add: name of the version (default: the next YYYYMMDD_NN)");
  line.text("--content-id", "ID", artefact.content_id,
            "With --add: stream (default: com.ubuntu.maas:candidate:OS-bases-download)");
  line.text("--product-id", "ID", artefact.product_id,
            "With --add: product (default: com.ubuntu.maas.candidate:OS-bases:VERSION:ARCH)");
  line.list("--tag", "KEY=VALUE", command.tags,
            "With --add: a further tag of the product (may be repeated)");
}

}  // namespace

Action declare_import(const Options& line) {
  auto command = std::make_shared<ImportCommand>();
  auto& options = command->options;
  options.publish.action = "import";
  options.publish.create = true;
  line.word("CONFIG", options.config,
            "What to import: a file, or the name of one that is shipped (bootloaders.yaml)");
  line.optional_word("TARGET", options.target, "Data directory to import into; made if absent");
  line.in(Group::trust)
      .text("--keyring", "FILE", options.keyring,
            "Archives of packages must be signed by a key of this file (default: the "
            "configuration's)");
  line.flag("--proposed", options.proposed,
            "Look for packages in the suite RELEASE-proposed as well");
  line.number("--max", options.max,
              "Import the N newest versions of an image_index, 0: all (default: 2)");
  line.flag("-f,--force", options.force, "Import also what is published already");
  add_artefact_options(line, *command);
  add_publish_options(line, options.publish, command->flags);
  add_http_options(line, command->running);
  return action_of(command, run);
}

}  // namespace cli

#include "cli/util/import.h"

#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "cli/http_options.h"
#include "cli/publish_options.h"
#include "meph2/import/import.h"

namespace cli {

namespace {

struct ImportCommand {
  meph2::ImportOptions options;
  std::vector<std::string> files;  ///< ITEM=FILE
  std::vector<std::string> tags;   ///< KEY=VALUE
  std::optional<std::uint64_t> max;
  PublishFlags flags;
  HttpFlags http;
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
  options.max = command.max.value_or(options.max);
  const auto result = meph2::import_into(options, context);
  const auto published = result.published.value_or(sstream::PublishResult());
  auto lines = lines_of(result.items, published, options.publish);
  if (lines.empty()) {
    lines.emplace_back("nothing to do");
  }
  return finish(report_of_items(result.items, published, options.publish), lines, command.flags,
                context);
}

void add_artefact_options(CLI::App& app, ImportCommand& command) {
  auto& artefact = command.options.artefact;
  add_list(app, "--add", command.files,
           "Instead of CONFIG: publish this file as that item, e.g. root-tgz=centos9.tar.gz "
           "(may be repeated)")
      ->type_name("ITEM=FILE");
  app.add_option("--os", artefact.os, "With --add: the operating system, e.g. centos");
  app.add_option("--release", artefact.release, "With --add: its release, e.g. 9");
  app.add_option("--os-version", artefact.version,
                 "With --add: the release's version (default: the release)");
  app.add_option("--arch", artefact.arch, "With --add: the architecture, e.g. amd64");
  app.add_option("--title", artefact.title, "With --add: what people see (default: OS RELEASE)");
  app.add_option("--label", artefact.label, "With --add: the label (default: candidate)");
  app.add_option("--support-eol", artefact.support_eol, "With --add: until when it is supported")
      ->type_name("YYYY-MM-DD");
  app.add_option("--serial", artefact.serial,
                 "With --add: name of the version (default: the next YYYYMMDD_NN)");
  app.add_option("--content-id", artefact.content_id,
                 "With --add: stream (default: com.ubuntu.maas:candidate:OS-bases-download)");
  app.add_option("--product-id", artefact.product_id,
                 "With --add: product (default: com.ubuntu.maas.candidate:OS-bases:VERSION:ARCH)");
  add_list(app, "--tag", command.tags, "With --add: a further tag of the product (may be repeated)")
      ->type_name("KEY=VALUE");
}

}  // namespace

Action declare_import(CLI::App& app) {
  auto command = std::make_shared<ImportCommand>();
  auto& options = command->options;
  options.publish.action = "import";
  options.publish.create = true;
  app.add_option("CONFIG", options.config,
                 "What to import: a file, or the name of one that is shipped (bootloaders.yaml)")
      ->required();
  app.add_option("TARGET", options.target, "Data directory to import into; made if absent");
  app.add_option("--keyring", options.keyring,
                 "Archives of packages must be signed by a key of this file (default: the "
                 "configuration's)");
  app.add_flag("--proposed", options.proposed,
               "Look for packages in the suite RELEASE-proposed as well");
  add_number(app, "--max", command->max,
             "Import the N newest versions of an image_index, 0: all (default: 2)");
  app.add_flag("-f,--force", options.force, "Import also what is published already");
  add_artefact_options(app, *command);
  add_publish_options(app, options.publish, command->flags);
  add_http_options(app, command->http);
  return [command](sstream::Context& context) {
    return with_http(command->http, context,
                     [&](sstream::Context& full) { return run(*command, full); });
  };
}

}  // namespace cli

#include <memory>

#include "base/strings.h"
#include "cli/publish_options.h"
#include "meph2/insert.h"
#include "meph2/remove_version.h"

namespace {

std::vector<std::string> changes_of(const sstream::PublishResult& result) {
  return {result.changed
              ? base::cat("published generation ", result.generation, ": ", result.files.size(),
                          " files, ", base::human_bytes(result.bytes))
              : std::string("nothing to do")};
}

struct InsertCommand {
  meph2::InsertOptions options;
  cli::PublishFlags flags;
  std::optional<std::uint64_t> max;
};

cli::Action declare_insert(CLI::App& app) {
  auto command = std::make_shared<InsertCommand>();
  command->options.publish.action = "insert";
  command->options.publish.create = true;
  command->options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  app.add_option("SRC", command->options.source,
                 "Source: a directory, an index or products file, or an http(s) URL")
      ->required();
  app.add_option("TARGET", command->options.target, "Data directory to insert into; made if absent")
      ->required();
  app.add_option("FILTER", command->options.filters,
                 "Only items that match, e.g. arch=amd64 'release~(noble|jammy)'");
  cli::add_number(app, "--max", command->max,
                  "Consider only the N newest versions of a product (default: 20)");
  cli::add_publish_options(app, command->options.publish, command->flags);
  cli::add_trust_options(app, command->options.trust);
  return [command](sstream::Context& context) {
    auto& options = command->options;
    options.max = command->max.value_or(options.max);
    context.log.info(base::cat("starting: src=", options.source, " target=", options.target));
    const auto result = meph2::insert(options, context);
    auto report = sstream::report_of(result.published, options.publish);
    auto& items = report["items"] = io::Json::array();
    std::vector<std::string> lines;
    for (const auto& [pedigree, path] : result.items) {
      lines.push_back(base::cat(pedigree.text(), path.empty() ? "" : " ", path));
      items.push_back({{"item", pedigree.text()}, {"path", path}});
    }
    if (!options.publish.dry_run) {
      lines = changes_of(result.published);
    }
    return cli::finish(report, lines, command->flags, context);
  };
}

struct SignCommand {
  std::string target;
  sstream::PublishOptions publish;
  cli::PublishFlags flags;
};

cli::Action declare_sign(CLI::App& app) {
  auto command = std::make_shared<SignCommand>();
  command->publish.action = "sign";
  app.add_option("DATA_D", command->target, "Data directory")->required();
  cli::add_publish_options(app, command->publish, command->flags);
  return [command](sstream::Context& context) {
    context.log.info(base::cat("starting: data_d=", command->target));
    const auto result = sstream::publish(
        command->target, [](const sstream::Generation&) { return sstream::Plan{}; },
        command->publish, context);
    std::vector<std::string> lines;
    for (const auto& document : result.signed_documents) {
      lines.push_back(base::cat("signed streams/v1/", document));
    }
    if (lines.empty()) {
      lines = changes_of(result);
    }
    return cli::finish(sstream::report_of(result, command->publish), lines, command->flags,
                       context);
  };
}

struct RemoveVersionCommand {
  meph2::RemoveVersionOptions options;
  cli::PublishFlags flags;
};

cli::Action declare_remove_version(CLI::App& app) {
  auto command = std::make_shared<RemoveVersionCommand>();
  command->options.publish.action = "remove-version";
  app.add_option("DATA_D", command->options.target, "Data directory")->required();
  app.add_option("VERSION", command->options.version, "Version to remove")->required();
  app.add_option("FILTER", command->options.filters,
                 "Only products with an item of that version that matches");
  cli::add_publish_options(app, command->options.publish, command->flags);
  return [command](sstream::Context& context) {
    const auto& options = command->options;
    context.log.info(base::cat("starting: data_d=", options.target, " version=", options.version));
    const auto result = meph2::remove_version(options, context);
    auto report = sstream::report_of(result.published, options.publish);
    report["products"] = result.products;
    std::vector<std::string> lines;
    for (const auto& product : result.products) {
      lines.push_back(base::cat("Removing ", options.version, " from ", product));
    }
    return cli::finish(report, lines, command->flags, context);
  };
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(argc, argv, "meph2-util", "Manages signed simplestreams of MAAS images",
                          {{"insert", "Add new versions from another stream, with their files",
                            "meph2-util insert build-output.d daily-stream.d --no-sign\n"
                            "meph2-util insert --keyring keyring.gpg "
                            "https://images.example.com/daily daily-stream.d arch=amd64",
                            declare_insert},
                           {"sign", "Regenerate the index and sign what is not signed",
                            "meph2-util sign daily-stream.d", declare_sign},
                           {"remove-version", "Take a version out of the metadata",
                            "meph2-util remove-version daily-stream.d 20260101 release=noble",
                            declare_remove_version}});
}

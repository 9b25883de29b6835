#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/publish_options.h"
#include "meph2/config/reader.h"
#include "sstream/sync/sync.h"

namespace {

constexpr const char* fallback_key = "hook";
constexpr int broken_pipe = 128 + 13;

struct SyncCommand {
  sstream::SyncOptions options;
  sstream::HookPrograms programs;
  cli::RunFlags running;
  std::string config;
  std::map<std::string, std::optional<std::string>> hooks;  ///< of the command line; "" is --hook
  std::string path;
};

std::string option_of(const std::string& hook) {
  return "--hook-" + base::replace_all(hook, "_", "-");
}

std::uint64_t number_of(const meph2::ConfigValue& value, const std::string& text) {
  const auto number = base::parse_decimal(text);
  if (!number) {
    value.reject("must be a whole number");
  }
  return *number;
}

/// What the command line says counts more. An unknown key is warned of, as the established tool
/// does.
void read_config(SyncCommand& command, const base::Log& log) {
  const auto yaml = io::read_yaml(command.config);
  if (yaml.value.is_null()) {
    return;
  }
  auto& options = command.options;
  const meph2::ConfigValue config(yaml);
  for (const auto& key : config.keys()) {
    const auto value = config.find(key);
    const auto& names = sstream::hook_names();
    if (!value) {
      continue;
    }
    if (key == fallback_key) {
      command.programs.fallback = value->string_or_strings();
    } else if (std::find(names.begin(), names.end(), key) != names.end()) {
      command.programs.own[key] = value->string_or_strings();
    } else if (key == "mirror_url") {
      options.source = options.source.empty() ? value->string() : options.source;
    } else if (key == "path") {
      command.path = command.path.empty() ? value->string() : command.path;
    } else if (key == "max_items") {
      const auto number = number_of(*value, yaml.value.at(key).dump());
      options.max = options.max.value_or(number);
    } else if (key == "keep_items") {
      options.keep = options.keep || value->boolean();
    } else if (key == "delete_filtered_items") {
      options.delete_filtered = options.delete_filtered || value->boolean();
    } else if (key == "delete_products") {
      options.delete_products = value->boolean();
    } else if (key == "item_skip_download") {
      options.download = options.download && !value->boolean();
    } else if (key == "unset_value") {
      command.programs.unset = value->string();
    } else if (key == "product_load_output_format") {
      const auto format = value->string();
      if (format != "json" && format != "serial_list") {
        value->reject("must be serial_list or json");
      }
      options.format = format == "json" ? sstream::LoadFormat::json : sstream::LoadFormat::list;
    } else {
      log.warning(base::cat(value->where(), ": unknown key '", key, "'"));
    }
  }
}

void settle(SyncCommand& command, const base::Log& log) {
  auto& options = command.options;
  if (!command.config.empty()) {
    read_config(command, log);
  }
  if (options.source.empty()) {
    throw base::Error(base::Errc::usage, "MIRROR_URL is required (or mirror_url in --config)");
  }
  for (const auto& [hook, program] : command.hooks) {
    if (!program) {
      continue;
    }
    // An empty one: none, whatever the configuration says.
    auto arguments = program->empty() ? std::vector<std::string>() : std::vector{*program};
    if (hook.empty()) {
      command.programs.fallback = std::move(arguments);
    } else {
      command.programs.own[hook] = std::move(arguments);
    }
  }
  if (!command.path.empty()) {
    options.path = command.path;
  }
}

int run(SyncCommand& command, const sstream::Context& context) {
  settle(command, context.log);
  const sstream::Hooks hooks(command.programs, context.log, context.stop);
  try {
    const auto result = sstream::sync(command.options, hooks, context);
    context.log.info(base::cat("inserted ", result.versions, " versions with ", result.items,
                               " items, removed ", result.removed, " versions"));
  } catch (const base::Error& error) {
    if (error.sys_errno() == EPIPE) {
      return broken_pipe;
    }
    throw;
  }
  return base::exit_done;
}

void add_hooks(const cli::Options& line, SyncCommand& command) {
  line.text("--hook", "PROGRAM", command.hooks[""],
            "Program for all hooks that have none of their own");
  for (const auto& hook : sstream::hook_names()) {
    line.text(option_of(hook), "PROGRAM", command.hooks[hook],
              base::cat("Program for ", hook,
                        hook == "load_products" ? ", which says what the target has" : ""));
  }
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<SyncCommand>();
  auto& options = command->options;
  options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  line.optional_word("MIRROR_URL", options.source,
                     "Stream: a directory, an index or products file, or an http(s) URL");
  line.text("-c,--config", "FILE", command->config, "Hooks and options, as YAML");
  add_hooks(line, *command);
  line.number("--max", options.max, "Only the N newest versions of each product");
  line.flag("--keep", options.keep,
            "Keep versions that the source has no longer, as long as --max allows");
  line.flag_off("--item-skip-download", options.download,
                "Do not download items; insert_item gets their item_url only");
  line.flag("--delete", options.delete_filtered,
            "Remove the target's versions that filter_version does not want");
  line.text("--path", "PATH", command->path,
            "Path of the index or products file below MIRROR_URL (default: "
            "streams/v1/index.sjson, else index.json)");
  cli::add_source_options(line, options.trust, "-U,--no-verify");
  line.text("--state", "DIR", options.state,
            "Remember in DIR what was seen of the source; an older state of it is refused");
  cli::add_http_options(line, command->running);
  cli::add_log_file(line, command->running);
  return cli::action_of(command, run);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"sstream-sync", "Tells programs of yours what a simplestream has that you lack",
       "sstream-sync --hook=./my-hook --max=2 --keyring keyring.gpg "
       "https://images.example.com/daily\n"
       "sstream-sync --config hooks.yaml --item-skip-download daily-stream.d",
       declare});
}

#include "cli/program.h"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "base/exit_code.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "cli/version.h"

#include <malloc.h>

namespace cli {

namespace {

/// `--dry` for `--dry-run`, as argparse accepts: exact names first, then a prefix that fits one
/// only.
std::string expand_prefix(const CLI::App& app, const std::string& word) {
  if (!word.starts_with("--") || word.size() < 3) {
    return word;
  }
  const auto name = word.substr(2, word.find('=') - 2);
  std::vector<std::string> matches;
  for (const auto* option : app.get_options()) {
    for (const auto& known : option->get_lnames()) {
      if (known == name) {
        return word;
      }
      if (known.starts_with(name)) {
        matches.push_back(known);
      }
    }
  }
  return matches.size() == 1 ? base::cat("--", matches[0], word.substr(2 + name.size())) : word;
}

/// The arguments in the reverse order that CLI11 wants, prefixes expanded for the command asked
/// for.
std::vector<std::string> arguments(int argc, char** argv, const CLI::App& app) {
  std::vector<std::string> words(argv + 1, argv + argc);  // NOLINT: main's own signature
  const CLI::App* scope = &app;
  for (auto& word : words) {
    if (word == "--") {
      break;
    }
    if (!word.starts_with("-")) {
      for (const auto* command : scope->get_subcommands({})) {
        if (command->get_name() == word) {
          scope = command;
          break;
        }
      }
    }
    word = expand_prefix(*scope, word);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& reversed) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  for (auto word = reversed.rbegin(); word != reversed.rend(); ++word) {
    if (!word->starts_with("-")) {
      if (std::find(names.begin(), names.end(), *word) != names.end()) {
        return {};
      }
      const auto near = base::nearest_word(*word, names);
      return base::cat("unknown command '", *word, "'",
                       near ? base::cat("; did you mean '", *near, "'?") : "");
    }
  }
  return {};
}

int usage_error(const CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  const auto& scope = chosen.empty() ? app : *chosen.front();
  std::cerr << "error: " << base::escape_control(message) << "\n"
            << "try: " << (chosen.empty() ? "" : app.get_name() + " ") << scope.get_name()
            << " --help\n";
  return base::exit_usage;
}

/// Results reached stdout, or the run was no success.
int flush_stdout(int code) {
  std::cout.flush();
  if (std::cout.fail() || std::fflush(stdout) != 0) {
    std::cerr << "error: write to stdout: the results could not be written\n";
    return code == base::exit_done ? base::exit_failed : code;
  }
  return code;
}

int run_action(const Action& action, const std::string& tag, unsigned verbose) {
  base::StopSignals signals;
  const base::SystemClock clock;
  const base::Log log(tag, verbose > 0 ? base::LogLevel::debug : base::LogLevel::info);
  base::TerminalProgress progress(STDERR_FILENO);
  const auto http = io::make_http_client({});
  sstream::Context context{
      clock,           log,
      progress,        *http,
      signals.token(), [](const std::string& line) { std::cout << line << '\n'; }};
  try {
    return flush_stdout(action(context));
  } catch (const base::Stopped& stop) {
    std::cout.flush();
    std::cerr << base::describe(stop) << "\n";
    return 128 + signals.signal();
  } catch (...) {
    const auto error = base::as_error(std::current_exception());
    std::cout.flush();
    std::cerr << base::describe(error) << "\n";
    return base::exit_code_of(error.code());
  }
}

/// A large stream is a million small allocations that live and die together. Without fast bins and
/// with the heap grown in large steps an edit takes a sixth less time.
void tune_allocator() {
  ::mallopt(M_MXFAST, 0);
  ::mallopt(M_TOP_PAD, 8 << 20);
}

}  // namespace

int run_program(int argc, char** argv, const std::string& name, const std::string& summary,
                const std::vector<Command>& commands) {
  // Names of other scripts inside archives need a UTF-8 LC_CTYPE; nothing else of the locale is
  // used.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) {
    std::setlocale(LC_CTYPE, "en_US.UTF-8");
  }
  tune_allocator();
  CLI::App app(summary, name);
  unsigned verbose = 0;
  app.add_flag("-v,--verbose", verbose, "Say more on stderr");
  app.set_version_flag("--version", base::cat(name, " ", MEPH2_VERSION));
  std::vector<std::pair<const CLI::App*, Action>> actions;
  for (const auto& command : commands) {
    CLI::App* scope = &app;
    if (!command.name.empty()) {
      scope = app.add_subcommand(command.name, command.summary);
      scope->add_flag("-v,--verbose", verbose, "Say more on stderr");
    }
    scope->footer(base::cat("Example:\n  ", base::replace_all(command.example, "\n", "\n  ")));
    actions.emplace_back(scope, command.declare(*scope));
  }
  const bool has_commands = !commands.front().name.empty();
  if (has_commands) {
    const auto& first = commands.front().example;
    app.footer(base::cat("Example:\n  ", first.substr(0, first.find('\n')), "\n\n", name,
                         " COMMAND --help says more."));
  }
  auto words = arguments(argc, argv, app);
  if (has_commands && argc == 1) {
    std::cout << app.help();
    return base::exit_usage;
  }
  try {
    if (has_commands) {
      if (const auto message = unknown_command(app, words); !message.empty()) {
        return usage_error(app, message);
      }
      app.require_subcommand(1);
    }
    app.parse(words);
  } catch (const CLI::Success& success) {
    return app.exit(success, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error.what());
  }
  const auto chosen = std::find_if(actions.begin(), actions.end(),
                                   [](const auto& entry) { return entry.first->parsed(); });
  return run_action(chosen->second, chosen->first == &app ? name : chosen->first->get_name(),
                    verbose);
}

CLI::Option* add_list(CLI::App& app, const std::string& flags, std::vector<std::string>& into,
                      const std::string& help) {
  return app.add_option(flags, into, help)->allow_extra_args(false);
}

CLI::Option* add_number(CLI::App& app, const std::string& flags, std::optional<std::uint64_t>& into,
                        const std::string& help) {
  return app
      .add_option_function<std::string>(
          flags,
          [&into, flags](const std::string& text) {
            const auto value = base::parse_decimal(text);
            if (!value) {
              throw CLI::ValidationError(flags, base::cat("'", text, "' is not a decimal number"));
            }
            into = *value;
          },
          help)
      ->type_name("N");
}

namespace {

template <typename Duration>
CLI::Option* add_any_duration(CLI::App& app, const std::string& flags, Duration& into,
                              const std::string& help) {
  return app
      .add_option_function<std::string>(
          flags,
          [&into, flags](const std::string& text) {
            const auto value = base::parse_duration(text);
            if (!value) {
              throw CLI::ValidationError(
                  flags, base::cat("'", text, "' is not a duration such as 3d, 12h or 1d12h"));
            }
            into = *value;
          },
          help)
      ->type_name("DURATION");
}

}  // namespace

CLI::Option* add_duration(CLI::App& app, const std::string& flags, std::chrono::seconds& into,
                          const std::string& help) {
  return add_any_duration(app, flags, into, help);
}

CLI::Option* add_duration(CLI::App& app, const std::string& flags,
                          std::optional<std::chrono::seconds>& into, const std::string& help) {
  return add_any_duration(app, flags, into, help);
}

CLI::Option* add_size(CLI::App& app, const std::string& flags, std::optional<std::uint64_t>& into,
                      const std::string& help) {
  return app
      .add_option_function<std::string>(
          flags,
          [&into, flags](const std::string& text) {
            into = base::parse_bytes(text);
            if (!into) {
              throw CLI::ValidationError(
                  flags, base::cat("'", text, "' is not a size such as 500M or 200G"));
            }
          },
          help)
      ->type_name("SIZE");
}

}  // namespace cli

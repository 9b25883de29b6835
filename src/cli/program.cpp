#include "cli/program.h"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <iostream>

#include <malloc.h>
#include <unistd.h>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "cli/version.h"
#include "sstream/repository/context.h"

namespace cli {

namespace {

/// What a command line asks for.
struct Asked {
  const Command* command;
  std::string path;  ///< "meph2-util keys status"
  std::string tag;   ///< of the log: the program, or its subcommand
  bool help = false;
};

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) {
    names.push_back(command.name);
  }
  return names;
}

/// Takes the words that name a subcommand out of `words`; options may stand before them.
void take_command(std::vector<std::string>& words, Asked& asked) {
  auto word = words.begin();
  while (word != words.end() && !asked.command->commands.empty()) {
    if (word->starts_with("-")) {
      ++word;
      continue;
    }
    const auto& known = asked.command->commands;
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Command& each) { return each.name == *word; });
    if (found != known.end()) {
      asked.tag = asked.tag == asked.path ? found->name : asked.tag;
      asked.path += base::cat(" ", found->name);
      asked.command = &*found;
    } else if (*word == "help" && !asked.help) {
      asked.help = true;
    } else {
      throw base::Error(base::Errc::usage, base::cat("unknown command '", *word, "'",
                                                     did_you_mean(*word, names_of(known))));
    }
    word = words.erase(word);
  }
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
  const sstream::Context context{clock, log, progress, *http, signals.token()};
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

/// Parses and runs, or prints what --help and --version ask for.
int run(const std::vector<std::string>& words, const Asked& asked) {
  const auto& [name, summary, example, declare, commands] = *asked.command;
  Options line(asked.path, summary, example);
  const auto action = declare ? declare(line) : Action();
  const auto wants = asked.help ? Options::Asked::help : line.parse(words);
  if (wants == Options::Asked::work && action) {
    return run_action(action, asked.tag, line.verbosity());
  }
  if (wants == Options::Asked::version) {
    std::cout << asked.path.substr(0, asked.path.find(' ')) << " " << MEPH2_VERSION << "\n";
    return flush_stdout(base::exit_done);
  }
  if (wants == Options::Asked::work && asked.path != name) {
    throw base::Error(base::Errc::usage,
                      base::cat(name, ": which of ", base::join(names_of(commands), ", "), "?"));
  }
  std::vector<HelpEntry> entries;
  for (const auto& command : commands) {
    entries.push_back({command.name, command.summary});
  }
  std::cout << line.help(entries);
  if (!entries.empty()) {
    std::cout << "\n" << asked.path << " help COMMAND says more.\n";
  }
  return flush_stdout(wants == Options::Asked::help ? base::exit_done : base::exit_usage);
}

}  // namespace

int run_program(int argc, char** argv, const Command& program) {
  // Names of other scripts inside archives need a UTF-8 LC_CTYPE; nothing else of the locale is
  // used.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) {
    std::setlocale(LC_CTYPE, "en_US.UTF-8");
  }
  tune_allocator();
  Asked asked{&program, program.name, program.name};
  std::vector<std::string> words(argv + 1, argv + argc);  // NOLINT: main's own signature
  try {
    take_command(words, asked);
    return run(words, asked);
  } catch (const base::Error& error) {
    std::cerr << "error: " << base::escape_control(error.what()) << "\n"
              << "try: " << asked.path << " --help\n";
    return base::exit_usage;
  }
}

}  // namespace cli

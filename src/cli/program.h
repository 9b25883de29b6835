#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"

namespace sstream {
struct Context;
}

namespace cli {

/// The work, run after parsing; returns the exit code. Errors are thrown.
using Action = std::function<int(const sstream::Context& context)>;

/// A program, or a subcommand of one.
struct Command {
  std::string name;
  std::string summary;
  std::string example;
  /// Adds options to the line; what it returns runs when this command was asked for. Options live
  /// in a struct that the closure owns (std::shared_ptr).
  std::function<Action(const Options& line)> declare;
  std::vector<Command> commands = {};  ///< instead of `declare`: it has subcommands
};

/// A whole main(): finds the subcommand, parses, sets up log, progress, signals and HTTP, runs the
/// command, turns exceptions into one line on stderr and an exit code. --help, --version and -v may
/// stand before the subcommand and behind it; "help COMMAND" is "COMMAND --help".
int run_program(int argc, char** argv, const Command& program);

}  // namespace cli

#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sstream/repository/context.h"

namespace cli {

/// The work, run after parsing; returns the exit code. Errors are thrown.
using Action = std::function<int(sstream::Context& context)>;

/// One row of a program's table: a subcommand, or the program itself (empty name).
struct Command {
  std::string name;
  std::string summary;
  std::string example;
  /// Adds options to the App; what it returns runs when this command was asked for. Options live in
  /// a struct that the closure owns (std::shared_ptr).
  std::function<Action(CLI::App& app)> declare;
};

/// A whole main(): parses (unique prefixes of long options are accepted, as argparse does), sets up
/// log, progress, signals and HTTP, runs the command, turns exceptions into one line on stderr and
/// an exit code. With a single Command of empty name the program has no subcommands.
int run_program(int argc, char** argv, const std::string& name, const std::string& summary,
                const std::vector<Command>& commands);

/// A repeatable option that takes one value each time (CLI11's own would eat the words that
/// follow).
CLI::Option* add_list(CLI::App& app, const std::string& flags, std::vector<std::string>& into,
                      const std::string& help);

/// Decimal digits only (CLI11 reads 010 as 8).
CLI::Option* add_number(CLI::App& app, const std::string& flags, std::optional<std::uint64_t>& into,
                        const std::string& help);

/// "3d", "12h", "1d12h".
CLI::Option* add_duration(CLI::App& app, const std::string& flags, std::chrono::seconds& into,
                          const std::string& help);
CLI::Option* add_duration(CLI::App& app, const std::string& flags,
                          std::optional<std::chrono::seconds>& into, const std::string& help);

/// "500M", "200G": bytes.
CLI::Option* add_size(CLI::App& app, const std::string& flags, std::optional<std::uint64_t>& into,
                      const std::string& help);

}  // namespace cli

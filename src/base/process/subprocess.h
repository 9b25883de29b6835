#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace base {

struct Command {
  std::vector<std::string> argv;           ///< argv[0] is looked up in PATH; never a shell
  std::map<std::string, std::string> env;  ///< added to (or replacing) the inherited environment
  bool clear_env = false;                  ///< start from an empty environment
  std::string directory;                   ///< working directory, empty: inherited
  std::optional<std::string> input;        ///< fed to stdin; absent: /dev/null
  int input_fd = -1;                       ///< or: this descriptor becomes stdin
  bool capture_output = false;             ///< stdout into Outcome::output, else inherited
  int output_fd = -1;                      ///< or: stdout goes to this descriptor
  bool capture_error = false;              ///< stderr into Outcome::error, else inherited
  std::size_t keep_last = 0;               ///< of each that is captured: bytes; 0: all of it
  std::vector<int> echo_fds;               ///< what is captured goes there as well, control escaped
  int log_fd = -1;                         ///< likewise, with the command and its exit status
  std::vector<int> keep_fds;               ///< all that the child keeps besides 0 to 2
  bool own_group = true;                   ///< a process group of its own, killed whole on stop
  std::chrono::seconds most_time{0};       ///< 0: as long as it takes
  std::string most_time_from;              ///< the option that says so, for messages
  /// Called by the child last of all, where only async-signal-safe calls are possible. False, with
  /// errno set: the program is not started.
  bool (*before_exec)(const void* data) = nullptr;
  const void* before_exec_data = nullptr;
};

struct Outcome {
  int status = 0;  ///< exit code, or 128 + signal
  std::string output;
  std::string error;
};

/// Runs a program to its end. It dies with us (PR_SET_PDEATHSIG); a stop request terminates its
/// group (SIGTERM, SIGKILL after ten seconds) and throws Stopped. One that takes too long ends in
/// the same way, and is Error(failed). A program that cannot be started is Error(failed), or
/// not_found where there is none of that name.
Outcome run(const Command& command, const std::stop_token& stop = {});

/// Like run, but a status other than 0 is Error(failed) "NAME: exit status N: last lines of
/// stderr".
Outcome run_checked(const Command& command, const std::stop_token& stop = {});

/// The path that PATH gives for a program, if any. Elements of PATH that are no absolute path,
/// which somebody else's directory could be, do not count.
std::optional<std::string> find_program(const std::string& name);

/// argv as a shell would need it, for messages.
std::string shell_quote(const std::vector<std::string>& argv);

}  // namespace base

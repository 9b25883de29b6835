#pragma once

#include <string>

namespace base {

/// The command line of this process, its words separated by blanks, credentials in URLs left out;
/// "?" where /proc is not mounted. For people to read, not to run again.
std::string command_line();

/// "user@host" of this process; behind sudo "user (as root)@host". For people to read.
std::string user_at_host();

std::string host_name();

}  // namespace base

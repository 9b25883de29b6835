#pragma once

#include "base/error.h"

namespace base {

/// Exit codes of every command; README.md lists their meaning.
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_cleanup_incomplete = 3,
  exit_durability_unknown = 4,
  exit_untrusted = 5,
  exit_refused = 6,
  exit_locked = 75,
};

/// A stop request is no Error: its code is 128 plus the signal's number.
constexpr int exit_code_of(Errc code) {
  switch (code) {
    case Errc::usage:
      return exit_usage;
    case Errc::cleanup_incomplete:
      return exit_cleanup_incomplete;
    case Errc::durability_unknown:
      return exit_durability_unknown;
    case Errc::untrusted:
      return exit_untrusted;
    case Errc::refused:
      return exit_refused;
    case Errc::locked:
      return exit_locked;
    default:
      return exit_failed;
  }
}

}  // namespace base

#pragma once

#include <unistd.h>

#include "base/process/subprocess.h"

namespace meph2::image {

/// Where what a stage's programs print goes, besides being kept for messages.
struct StageOutput {
  bool verbose = false;  ///< to stderr
  int log = -1;          ///< to the stage's log, if there is one

  void apply(base::Command& command) const {
    const bool capture = !verbose || log >= 0;
    command.capture_output = capture;
    command.capture_error = capture;
    command.echo_fd = verbose && capture ? STDERR_FILENO : -1;
    command.log_fd = log;
  }
};

}  // namespace meph2::image

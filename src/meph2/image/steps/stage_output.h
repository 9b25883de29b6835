#pragma once

#include "base/process/subprocess.h"

namespace meph2::image {

/// Where what a stage's programs print goes, besides the end of it being kept for messages.
struct StageOutput {
  int log = -1;

  void apply(base::Command& command) const {
    command.capture_output = true;
    command.capture_error = true;
    command.keep_last = 1U << 16U;
    command.log_fd = log;
  }
};

}  // namespace meph2::image

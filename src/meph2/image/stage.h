#pragma once

#include <stop_token>
#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/steps/stage_input.h"

namespace meph2::image {

/// One step of a build that needs a mounted root: done by a process of its own in its own
/// namespaces.
struct StageJob {
  StageInput input;
  std::string label;  ///< for messages
  Layers layers;
  std::string emulate =
      {};  ///< Debian's name of the image's architecture; empty: the machine's own
  bool network = false;
  bool verbose = false;
  int log = -1;  ///< what its programs print is copied to this descriptor; -1: to none
};

/// Runs a job in `scratch` (a directory that holds `base` and `root`) by starting this program
/// again, and returns what the stage reports. Throws the stage's own error, and Stopped
/// for a stop request; whatever happens, no process and no mount is left.
io::Json run_stage(const StageJob& job, const std::string& scratch, const std::stop_token& stop);

/// The other side: argument of the program that run_stage starts.
inline constexpr const char* stage_option = "--run-stage";

/// Does the job that `path` describes; returns the exit status.
int stage_main(const std::string& path);

}  // namespace meph2::image

#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "io/json/json_fwd.h"
#include "meph2/image/sandbox/layers.h"
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
  std::chrono::seconds most_time{0};  ///< 0: as long as it takes
  int log = -1;  ///< descriptor that what its programs print goes to; -1: to none
};

/// Runs a job in `scratch` by starting this program again, in a sandbox: the two have one socket
/// between them, and only data crosses it. The files that the stage hands out are in
/// `job.layers.upper`/out then. Returns what the stage reports. Throws the stage's own error, and
/// Stopped for a stop request; whatever happens, no process and no mount is left.
io::Json run_stage(const StageJob& job, const std::string& scratch, const std::stop_token& stop);

/// The other side: argument of the program that run_stage starts, followed by its end of the
/// socket.
inline constexpr const char* stage_option = "--run-stage";

/// Does the job that comes in by the socket `fd`; returns the exit status.
int stage_main(int fd);

}  // namespace meph2::image

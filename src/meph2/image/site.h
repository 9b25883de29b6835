#pragma once

#include <string>

#include "base/fs/file.h"
#include "meph2/image/run_report.h"
#include "meph2/image/sandbox/workplace.h"
#include "meph2/image/stage.h"
#include "meph2/image/stage_store.h"
#include "sstream/repository/context.h"

namespace meph2::image {

/// Where one build works, and what it leaves. Several threads may run and take stages here.
struct Site {
  Workplace workplace;
  StageStore stages;
  RunReport& record;
  const sstream::Context& context;
  unsigned jobs;         ///< how much may be done at once
  Outputs outputs = {};  ///< for one thread, as copies are
  int copies = 0;        ///< staged so far

  /// Runs the job with the descriptor of its stage's log.
  io::Json run(StageJob job, int log) const;

  /// Runs a job that makes the layer job.layers.upper, or has the layer of an earlier build take
  /// its place. Returns what the layer is known by.
  Known make_layer(const StageInputs& inputs, const StageJob& job);

  /// A path of the same file that root of the image's ids can open: of a copy, where only its owner
  /// may read it.
  std::string readable_by_image(const std::string& path) const;

  /// Stages a copy, which gets the name `path`; `may_link`: or a hard link.
  void publish_copy(base::File from, const std::string& path, bool may_link = false);
};

}  // namespace meph2::image

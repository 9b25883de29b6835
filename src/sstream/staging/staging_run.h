#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "sstream/repository/context.h"
#include "sstream/repository/repository.h"
#include "sstream/staging/staged_batch.h"
#include "sstream/staging/staging_area.h"

namespace sstream {

/// Stages a list of files of any length in batches: while one is fetched, the one before it is
/// sealed and handed over, and the next one is opened.
class StagingRun {
 public:
  /// Gets each batch that is whole, in a thread of the run's, one at a time.
  using HandOver = std::function<void(StagedBatch batch)>;

  /// The whole has been announced to the progress. All of these outlive this.
  StagingRun(const Repository& repository, const StagingArea& area, const Context& context,
             HandOver hand_over);

  /// Files with equal content follow each other. A failure of single files keeps their batch from
  /// being handed over, and no other; unless nothing of a batch can be had, or a great many fail:
  /// then the first failure is thrown.
  void add(NewFile file);

  /// Waits until all are handed over. Throws the first failure, if there was one.
  void finish();

 private:
  void step();
  void take_note(const StagedBatch& batch);
  [[noreturn]] void raise() const;

  const Repository& repository_;
  const StagingArea& area_;
  base::AnnouncedProgress progress_;
  Context context_;
  HandOver hand_over_;
  std::vector<NewFile> waiting_;  ///< for the next batch
  std::size_t waiting_contents_ = 0;
  std::string last_content_;
  std::optional<StagedBatch> opened_;
  std::optional<StagedBatch> fetched_;
  std::size_t failed_ = 0;
  std::exception_ptr first_failure_;
};

}  // namespace sstream

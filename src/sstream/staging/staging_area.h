#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/fs/file.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// The directory that one run stages files in, .data/.sstream/txn/PID-N, locked while it lives.
/// Files in it are named by their content; what a dead run left is taken over, so that a download
/// goes on where it stopped, and what nobody took over for three days is removed.
class StagingArea {
 public:
  StagingArea(const Repository& repository, const base::Clock& clock);
  StagingArea(const StagingArea&) = delete;
  StagingArea& operator=(const StagingArea&) = delete;
  /// What is left in it is there for the next run.
  ~StagingArea();

  int fd() const { return own_.fd(); }

 private:
  void take_over(const std::string& name, std::int64_t limit);

  static inline std::atomic<unsigned> count{0};
  base::File all_;
  std::string name_;
  base::File own_;
};

}  // namespace sstream

#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/log.h"

namespace base {

/// A file that takes the lines of a log. A line that cannot be written stops nobody: the work goes
/// on without a log; `other` says so at once, and finish() at the end.
class LogFile {
 public:
  /// Throws Error when the file cannot be opened.
  LogFile(const std::string& path, const Log& other);

  /// For Log; from any thread. Must not outlive this.
  Log::Sink sink();

  /// Throws Error(cleanup_incomplete) when lines were lost: the work itself is done.
  void finish();

 private:
  template <typename Work>
  void attempt(Work work);

  File file_;
  const Log& other_;
  std::mutex mutex_;
  std::optional<Error> lost_;  ///< the first failure; nothing is written after it
};

}  // namespace base

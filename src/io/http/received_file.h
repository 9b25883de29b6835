#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/fs/file.h"
#include "io/hash/digest.h"

namespace io {

/// A file in the making, written and digested by a thread of its own, so that the thread that
/// receives its bytes, and those of other files, is free to receive. The first MiB is written at
/// once, because for little a thread costs more. At most two MiB wait to be written; append() waits
/// where there would be more. To be used by one thread; nobody else touches `file` meanwhile.
class ReceivedFile {
 public:
  ReceivedFile(base::File& file, Algorithm algorithm) : file_(&file), digest_(algorithm) {}

  ReceivedFile(const ReceivedFile&) = delete;
  ReceivedFile& operator=(const ReceivedFile&) = delete;

  /// Writes what still waits, as far as that is possible: a later attempt goes on from there.
  ~ReceivedFile();

  /// Digests what the file holds already. To be told before the first append().
  void digest(std::string_view bytes) { digest_.update(bytes); }

  /// Writes at the file's position, and digests. Throws what this, or an earlier one, met in
  /// writing.
  void append(std::string_view bytes);

  /// Returns once everything is written; throws as append().
  void flush();

  /// Of everything, lower-case hex; the file cannot be appended to afterwards. Throws as append().
  std::string hex();

 private:
  void write(std::string_view bytes);
  void work();
  void write_waiting();
  void finish();

  base::File* file_;  ///< the thread's, while something waits
  Digest digest_;     ///< likewise
  std::uint64_t written_ = 0;
  std::uint64_t sent_to_disk_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;  ///< what is being written included
  bool ended_ = false;             ///< nothing more comes
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace io

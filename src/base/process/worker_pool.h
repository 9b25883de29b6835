#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <stop_token>
#include <thread>

namespace base {

/// Calls `work(i)` for every i in [0, count), on up to `jobs` threads (the calling one included).
/// The first exception, by index, is rethrown after all started work has ended; work that has not
/// started by then is dropped. With jobs == 1 everything runs in order in the calling thread.
void parallel_for(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work);

/// Work beside other work, on a thread of its own.
class Beside {
 public:
  /// Starts at once. `work` has to end soon after its token asks for it.
  explicit Beside(std::function<void(const std::stop_token&)> work);
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  /// Asks for the end, waits for it, and drops a failure.
  ~Beside();

  /// Waits for the end, and rethrows a failure; `stop` asks for it early.
  void finish(const std::stop_token& stop);

 private:
  std::exception_ptr failure_;
  std::jthread thread_;
};

/// Number of usable cores, at least 1.
unsigned core_count();

/// How many files are read and hashed at once: one for each core, and no more than a disk serves.
unsigned reader_count();

}  // namespace base

#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace base {

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request: the signals are blocked in every thread
/// (construct it before any other thread starts) and one thread waits for them. SIGPIPE and SIGXFSZ
/// are ignored, so that they arrive as EPIPE and EFBIG.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  std::stop_token token() const { return source_.get_token(); }

  /// The signal that arrived, 0 if none.
  int signal() const { return signal_; }

 private:
  std::stop_source source_;
  std::atomic<int> signal_{0};
  std::atomic<bool> closing_{false};
  std::thread waiter_;
};

/// Throws Stopped when a stop was requested.
void check_stop(const std::stop_token& token);

}  // namespace base

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace io {

/// What a failed attempt means for the next one.
enum class Fault : std::uint8_t {
  transient,  ///< may go better later: connection faults, 5xx, 408, 425, 429
  dead_url,   ///< this URL will not do: other 4xx, wrong size or content
  restart,    ///< the part that we have does not fit: again from the first byte
  fatal,      ///< no URL can help: our disk
};

struct Failure {
  Fault fault = Fault::transient;
  bool progressed = false;  ///< bytes were gained before it failed
  std::optional<std::chrono::seconds> retry_after;
};

struct RetryLimits {
  unsigned tries = 5;           ///< transient failures in a row, per URL
  unsigned tries_in_all = 100;  ///< even if every try gains a byte
  unsigned restarts = 3;
  std::chrono::milliseconds first_wait{1000};
  std::chrono::milliseconds longest_wait{30000};
  std::chrono::seconds longest_retry_after{300};  ///< a server that asks for more is given up
};

/// Decides whether, where and when to try again. Knows no clock and no network: the same calls give
/// the same answers.
class RetryPolicy {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  struct Again {
    std::size_t url = 0;
    Moment at;
  };

  RetryPolicy(const RetryLimits& limits, std::size_t urls, std::uint64_t seed);

  /// nullopt: give up.
  std::optional<Again> after(const Failure& failure, Moment now);

  /// Which URL is in use: its index.
  std::size_t url() const { return url_; }

 private:
  std::size_t alive() const;
  std::size_t next_alive() const;
  std::optional<Again> after_transient(const Failure& failure, Moment now);
  std::optional<Again> leave_url(Moment now);
  std::chrono::milliseconds back_off(unsigned round);

  RetryLimits limits_;
  std::vector<bool> dead_;
  std::vector<Moment> not_before_;
  std::size_t url_ = 0;
  unsigned failures_ = 0;
  unsigned restarts_ = 0;
  unsigned total_ = 0;
  // Knuth's MMIX: eight bytes, where a Mersenne twister has 2,500 for each of many files.
  std::linear_congruential_engine<std::uint64_t, 6364136223846793005U, 1442695040888963407U, 0>
      random_;
};

}  // namespace io

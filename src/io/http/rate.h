#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace io {

/// Bytes per second over all transfers of a client's call: an allowance that grows with time, up to
/// a quarter of a second's worth, and that a read may overdraw. Not curl's own limit: that one
/// reads in bursts of megabytes, and then takes its own silence for a stall.
class RateLimit {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  RateLimit(std::uint64_t bytes_per_second, Moment now)
      : rate_(static_cast<double>(bytes_per_second)), allowance_(rate_ / 4), at_(now) {}

  /// Whether bytes may be read now.
  bool open(Moment now) {
    const std::chrono::duration<double> passed = now - at_;
    at_ = now;
    allowance_ = std::min(allowance_ + rate_ * passed.count(), rate_ / 4);
    return allowance_ > 0;
  }

  void take(std::uint64_t bytes) { allowance_ -= static_cast<double>(bytes); }

  /// When open() will be true again.
  Moment opens() const {
    const std::chrono::duration<double> wait(std::max(1 - allowance_, 0.0) / rate_);
    return at_ + std::chrono::ceil<std::chrono::milliseconds>(wait);
  }

 private:
  double rate_;
  double allowance_;
  Moment at_;
};

}  // namespace io

#include "io/http/retry.h"

#include <algorithm>

namespace io {

using std::chrono::milliseconds;

RetryPolicy::RetryPolicy(const RetryLimits& limits, std::size_t urls, std::uint64_t seed)
    : limits_(limits), dead_(urls, false), not_before_(urls), random_(seed) {}

std::size_t RetryPolicy::alive() const {
  return static_cast<std::size_t>(std::count(dead_.begin(), dead_.end(), false));
}

std::size_t RetryPolicy::next_alive() const {
  auto next = url_;
  do {
    next = (next + 1) % dead_.size();
  } while (dead_[next]);
  return next;
}

std::optional<RetryPolicy::Again> RetryPolicy::after(const Failure& failure, Moment now) {
  ++total_;
  if (failure.fault == Fault::fatal || total_ >= limits_.tries_in_all) {
    return std::nullopt;
  }
  if (failure.fault == Fault::restart && restarts_ < limits_.restarts) {
    ++restarts_;
    return Again{url_, now};
  }
  return failure.fault == Fault::transient ? after_transient(failure, now) : leave_url(now);
}

std::optional<RetryPolicy::Again> RetryPolicy::leave_url(Moment now) {
  dead_[url_] = true;
  if (alive() == 0) {
    return std::nullopt;
  }
  url_ = next_alive();
  return Again{url_, std::max(now, not_before_[url_])};
}

std::optional<RetryPolicy::Again> RetryPolicy::after_transient(const Failure& failure, Moment now) {
  failures_ = failure.progressed ? 1 : failures_ + 1;
  const auto urls = static_cast<unsigned>(alive());
  if (failures_ >= limits_.tries * urls) {
    return std::nullopt;
  }
  if (failure.retry_after) {
    if (*failure.retry_after > limits_.longest_retry_after) {
      return leave_url(now);
    }
    not_before_[url_] = now + *failure.retry_after;
  }
  url_ = next_alive();
  // Another mirror is tried at once; only a whole round of failures is waited out.
  const auto wait = failures_ % urls == 0 ? back_off(failures_ / urls) : milliseconds(0);
  return Again{url_, std::max(now + wait, not_before_[url_])};
}

/// Doubled each round up to the limit; between half and all of it, so that many clients do not come
/// back in step.
milliseconds RetryPolicy::back_off(unsigned round) {
  const auto doublings = std::min(round - 1, 20U);
  const auto full = std::min(limits_.longest_wait, limits_.first_wait * (1U << doublings));
  const auto half = full.count() / 2;
  // Not std::uniform_int_distribution: its answers differ between standard libraries.
  // The upper half: the lower bits of such a generator hardly vary.
  const auto extra = (random_() >> 32U) % static_cast<std::uint64_t>(full.count() - half + 1);
  return milliseconds(half + static_cast<milliseconds::rep>(extra));
}

}  // namespace io

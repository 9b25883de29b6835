#include "io/http/retry.h"

#include <gtest/gtest.h>

#include "io/http/rate.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Moment = io::RetryPolicy::Moment;

constexpr io::Failure transient{};

io::Failure of(io::Fault fault) {
  return {fault, false, std::nullopt};
}

constexpr Moment start{seconds(1000)};

TEST(RetryPolicy, BacksOffDoublingWithJitterUpToTheLimit) {
  io::RetryLimits limits;
  limits.tries = 10;
  io::RetryPolicy policy(limits, 1, 7);
  for (const int full : {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000}) {
    const auto again = policy.after(transient, start);
    ASSERT_TRUE(again);
    EXPECT_GE(again->at - start, milliseconds(full / 2));
    EXPECT_LE(again->at - start, milliseconds(full));
    EXPECT_EQ(again->url, 0U);
  }
  EXPECT_FALSE(policy.after(transient, start));
}

TEST(RetryPolicy, SameSeedSameWaits) {
  io::RetryPolicy one({}, 1, 42);
  io::RetryPolicy two({}, 1, 42);
  io::RetryPolicy other({}, 1, 43);
  bool differs = false;
  for (int i = 0; i < 4; ++i) {
    const auto at = one.after(transient, start)->at;
    EXPECT_EQ(at, two.after(transient, start)->at);
    differs = differs || at != other.after(transient, start)->at;
  }
  EXPECT_TRUE(differs);
}

TEST(RetryPolicy, ProgressStartsTheCountAnewButNotForEver) {
  io::RetryPolicy policy({}, 1, 1);
  const io::Failure gained{io::Fault::transient, true, std::nullopt};
  unsigned tries = 1;
  while (const auto again = policy.after(gained, start)) {
    EXPECT_LE(again->at - start, seconds(1));
    ++tries;
  }
  EXPECT_EQ(tries, io::RetryLimits{}.tries_in_all);
}

TEST(RetryPolicy, RetryAfterIsAFloorAndHasACeiling) {
  io::RetryPolicy policy({}, 1, 1);
  const io::Failure busy{io::Fault::transient, false, seconds(20)};
  EXPECT_EQ(policy.after(busy, start)->at, start + seconds(20));
  const io::Failure shortly{io::Fault::transient, false, seconds(0)};
  EXPECT_GE(policy.after(shortly, start + seconds(100))->at, start + seconds(101));
  const io::Failure tomorrow{io::Fault::transient, false, seconds(86400)};
  EXPECT_FALSE(policy.after(tomorrow, start));
}

TEST(RetryPolicy, MirrorsTakeTurnsAndARoundIsWaitedOut) {
  io::RetryLimits limits;
  limits.tries = 2;
  io::RetryPolicy policy(limits, 3, 1);
  std::vector<std::size_t> urls;
  std::vector<bool> waited;
  while (const auto again = policy.after(transient, start)) {
    urls.push_back(again->url);
    waited.push_back(again->at > start);
  }
  EXPECT_EQ(urls, (std::vector<std::size_t>{1, 2, 0, 1, 2}));
  EXPECT_EQ(waited, (std::vector<bool>{false, false, true, false, false}));
}

TEST(RetryPolicy, ABusyMirrorIsNotAskedBeforeItsTime) {
  io::RetryPolicy policy({}, 2, 1);
  const io::Failure busy{io::Fault::transient, false, seconds(60)};
  EXPECT_EQ(policy.after(busy, start)->url, 1U);
  const auto back = policy.after(transient, start);
  EXPECT_EQ(back->url, 0U);
  EXPECT_EQ(back->at, start + seconds(60));
}

TEST(RetryPolicy, ADeadUrlIsLeftAtOnce) {
  io::RetryPolicy policy({}, 3, 1);
  auto again = policy.after(of(io::Fault::dead_url), start);
  EXPECT_EQ(again->url, 1U);
  EXPECT_EQ(again->at, start);
  again = policy.after(transient, start);
  EXPECT_EQ(again->url, 2U);
  again = policy.after(of(io::Fault::dead_url), start);
  EXPECT_EQ(again->url, 1U);
  EXPECT_FALSE(policy.after(of(io::Fault::dead_url), start));
}

TEST(RetryPolicy, RestartsAreAtOnceAndFew) {
  io::RetryPolicy policy({}, 1, 1);
  for (int i = 0; i < 3; ++i) {
    const auto again = policy.after(of(io::Fault::restart), start);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->at, start);
  }
  EXPECT_FALSE(policy.after(of(io::Fault::restart), start));
}

TEST(RetryPolicy, FatalIsTheEnd) {
  io::RetryPolicy policy({}, 3, 1);
  EXPECT_FALSE(policy.after(of(io::Fault::fatal), start));
}

TEST(RateLimit, LetsThroughWhatTheRateAllows) {
  auto now = start;
  io::RateLimit limit(1000, now);
  std::uint64_t taken = 0;
  while (now < start + seconds(10)) {
    while (limit.open(now)) {
      limit.take(100);
      taken += 100;
    }
    EXPECT_GT(limit.opens(), now);
    now = limit.opens();
  }
  EXPECT_GE(taken, 9900U);
  EXPECT_LE(taken, 10500U);
}

TEST(RateLimit, ALongPauseSavesUpLittle) {
  io::RateLimit limit(1000, start);
  const auto later = start + seconds(3600);
  std::uint64_t taken = 0;
  while (limit.open(later)) {
    limit.take(10);
    taken += 10;
  }
  EXPECT_EQ(taken, 250U);
}

}  // namespace

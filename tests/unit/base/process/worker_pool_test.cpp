#include "base/process/worker_pool.h"

#include <atomic>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/process/stop.h"

namespace base {
namespace {

TEST(Beside, IsDoneWhenItIsFinished) {
  std::atomic<bool> done{false};
  Beside work([&](const std::stop_token&) { done = true; });
  work.finish({});
  EXPECT_TRUE(done);
}

TEST(Beside, HandsOnAFailure) {
  Beside work([](const std::stop_token&) { throw Error(Errc::not_found, "no such thing"); });
  try {
    work.finish({});
    FAIL() << "no failure";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::not_found) << error.what();
  }
}

TEST(Beside, PassesAStopRequestOn) {
  std::stop_source stop;
  Beside work([](const std::stop_token& token) {
    while (true) {
      check_stop(token);
    }
  });
  stop.request_stop();
  EXPECT_THROW(work.finish(stop.get_token()), Stopped);
}

TEST(Beside, AsksForTheEndWhenItIsDropped) {
  const Beside work([](const std::stop_token& token) {
    while (!token.stop_requested()) {
    }
  });
}

}  // namespace
}  // namespace base

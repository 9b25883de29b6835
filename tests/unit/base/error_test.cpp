#include "base/error.h"

#include <cerrno>
#include <exception>

#include <gtest/gtest.h>

#include "base/process/stop.h"
#include "base/process/subprocess.h"
#include "base/process/worker_pool.h"

namespace base {
namespace {

std::stop_token requested() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

void stop() {
  check_stop(requested());
}

TEST(Stopped, IsNoErrorThatSomebodyBearsWith) {
  const auto bears_with_failures = [] {
    try {
      stop();
    } catch (const Error&) {
      return;
    } catch (const std::exception&) {
      return;
    }
  };
  EXPECT_THROW(bears_with_failures(), Stopped);
}

TEST(Stopped, PassesContextsAsItIs) {
  EXPECT_THROW(with_context("reading", stop), Stopped);
}

TEST(Stopped, IsMadeNoError) {
  std::exception_ptr thrown;
  try {
    stop();
  } catch (...) {
    thrown = std::current_exception();
  }
  EXPECT_THROW(as_error(thrown), Stopped);
}

TEST(Stopped, PassesThreads) {
  for (const unsigned jobs : {1U, 4U}) {
    EXPECT_THROW(parallel_for(8, jobs, [](std::size_t i) { i == 3 ? stop() : void(); }), Stopped);
  }
  Beside beside([](const std::stop_token&) { stop(); });
  EXPECT_THROW(beside.finish({}), Stopped);
}

TEST(Stopped, ComesOfAProgramThatIsNotRun) {
  Command command;
  command.argv = {"true"};
  EXPECT_THROW(run(command, requested()), Stopped);
}

TEST(Error, BecomesAnotherAndKeepsWhatItKnew) {
  Error error(Errc::failed, "rename a: No space left on device");
  error.set_errno(ENOSPC).add_context("insert");
  const auto other = error.becomes(Errc::cleanup_incomplete, "published");
  EXPECT_EQ(other.code(), Errc::cleanup_incomplete);
  EXPECT_EQ(other.sys_errno(), ENOSPC);
  EXPECT_STREQ(other.what(), "insert: rename a: No space left on device; published");
  EXPECT_STREQ(error.set_state("half done").becomes(Errc::failed, "all told").what(),
               "insert: rename a: No space left on device; half done; all told");
}

TEST(Stopped, SaysWhatStateWasSaidFirst) {
  try {
    with_state("all unchanged", [] { with_state("stream unchanged", stop); });
    FAIL() << "no stop";
  } catch (const Stopped& stopped) {
    EXPECT_EQ(describe(stopped), "error: stopped by a signal; stream unchanged");
  }
}

}  // namespace
}  // namespace base

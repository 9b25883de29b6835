#include "base/subprocess.h"

#include <gtest/gtest.h>

namespace {

TEST(Subprocess, FeedsItsInputWhateverTheSize) {
  for (const std::size_t size : {0U, 1U, 40U, 5000U, 1'000'000U}) {
    base::Command command;
    command.argv = {"cat"};
    command.input = std::string(size, 'x');
    command.capture_output = true;
    const auto outcome = base::run_checked(command);
    EXPECT_EQ(outcome.output, *command.input);
  }
}

}  // namespace

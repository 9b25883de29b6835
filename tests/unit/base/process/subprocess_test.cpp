#include "base/process/subprocess.h"

#include <fcntl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"

namespace {

base::Command shell(const std::string& script) {
  base::Command command;
  command.argv = {"sh", "-c", script};
  command.capture_output = true;
  command.capture_error = true;
  return command;
}

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

TEST(Subprocess, IsLoggedWithItsWordsItsOutputAndItsEnd) {
  auto log = base::unnamed_file("log");
  auto echo = base::unnamed_file("echo");
  auto command = shell("echo out; printf unended >&2; exit 3");
  command.log_fd = log.fd();
  command.echo_fd = echo.fd();
  const auto outcome = base::run(command);
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.error, "unended");
  log.seek(0);
  EXPECT_EQ(base::read_all(log),
            "$ sh -c 'echo out; printf unended >&2; exit 3'\nout\nunended\nexit status 3\n");
  echo.seek(0);
  EXPECT_EQ(base::read_all(echo), "out\nunended");
}

TEST(Subprocess, IsLoggedWhenASignalEndsIt) {
  auto log = base::unnamed_file("log");
  auto command = shell("kill -9 $$");
  command.log_fd = log.fd();
  EXPECT_EQ(base::run(command).status, 137);
  log.seek(0);
  EXPECT_THAT(base::read_all(log), testing::EndsWith("\nkilled by signal 9\n"));
}

TEST(Subprocess, IsLoggedWithoutThePasswordsOfUrls) {
  auto log = base::unnamed_file("log");
  auto command = shell("true deb http://me:secret@example.com/debian");
  command.log_fd = log.fd();
  base::run_checked(command);
  log.seek(0);
  EXPECT_THAT(base::read_all(log), testing::Not(testing::HasSubstr("secret")));
}

TEST(Subprocess, DoesNotFailWithItsLog) {
  const auto full = base::open_file("/dev/full", O_WRONLY);
  auto command = shell("echo out");
  command.log_fd = full.fd();
  EXPECT_EQ(base::run_checked(command).output, "out\n");
}

}  // namespace

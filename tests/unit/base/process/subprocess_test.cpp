#include "base/process/subprocess.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "tests/support/refused.h"

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
  command.echo_fds = {echo.fd()};
  const auto outcome = base::run(command);
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.error, "unended");
  log.seek(0);
  EXPECT_EQ(base::read_all(log),
            "$ sh -c 'echo out; printf unended >&2; exit 3'\nout\nunended\nexit status 3\n");
  echo.seek(0);
  EXPECT_EQ(base::read_all(echo), "out\nunended");
}

TEST(Subprocess, IsLoggedWithoutWhatATerminalActsOn) {
  auto log = base::unnamed_file("log");
  auto command = shell("printf 'a\\tb\\n\\033]0;title\\007c\\302\\233d\\303\\244\\n'");
  command.log_fd = log.fd();
  EXPECT_EQ(base::run_checked(command).output,
            "a\tb\n\x1b]0;title\x07"
            "c\xc2\x9b"
            "d\xc3\xa4\n");
  log.seek(0);
  EXPECT_THAT(
      base::read_all(log),
      testing::HasSubstr("\na\tb\n\\x1b]0;title\\x07c\\xc2\\x9bd\xc3\xa4\nexit status 0\n"));
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

TEST(Subprocess, KeepsTheLastOfWhatIsPrinted) {
  auto command = shell("head -c 3000000 /dev/zero; echo; echo the end");
  command.keep_last = 1000;
  const auto outcome = base::run_checked(command);
  EXPECT_LE(outcome.output.size(), 2000U + 65536U);
  EXPECT_THAT(outcome.output, testing::EndsWith("the end\n"));
}

TEST(Subprocess, EndsWhenItsTimeIsOver) {
  auto command = shell("sleep 600");
  command.most_time = std::chrono::seconds(1);
  command.most_time_from = "--time";
  EXPECT_THAT(support::refused(base::Errc::failed, [&] { base::run(command); }),
              testing::HasSubstr("run sh: took longer than the 1 s that it may (--time)"));
}

TEST(Subprocess, HasNoDescriptorButThoseThatItIsGiven) {
  const auto leak = base::open_directory("/");
  const auto given = base::open_directory("/tmp");
  ASSERT_EQ(::fcntl(leak.fd(), F_SETFD, 0), 0);
  auto command = shell("ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]*\\) -> .*/\\1/p'");
  command.keep_fds = {given.fd()};
  EXPECT_EQ(base::run_checked(command).output, base::cat("0\n1\n2\n", given.fd(), "\n"));
}

TEST(Subprocess, IsNotFoundInPlacesThatAreNoAbsolutePaths) {
  const base::TempDir directory("path-");
  const auto program = directory.path() + "/program-of-a-stranger";
  base::open_file(program, O_WRONLY | O_CREAT, 0755).close();
  const auto here = base::open_directory(".");
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::chdir(directory.path().c_str()), 0);
  for (const auto* strange : {"", ":/usr/bin", ".", "..:./."}) {
    ::setenv("PATH", strange, 1);
    EXPECT_EQ(base::find_program("program-of-a-stranger"), std::nullopt) << strange;
  }
  ::setenv("PATH", directory.path().c_str(), 1);
  EXPECT_EQ(base::find_program("program-of-a-stranger"), program);
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_EQ(::fchdir(here.fd()), 0);
}

TEST(Subprocess, DoesSomethingLastOfAll) {
  auto command = shell("ulimit -f");
  command.before_exec = [](const void*) {
    const rlimit most{1024, 1024};
    return ::setrlimit(RLIMIT_FSIZE, &most) == 0;
  };
  EXPECT_EQ(base::run_checked(command).output, "2\n");
  command.before_exec = [](const void*) {
    errno = EPERM;
    return false;
  };
  EXPECT_THAT(support::refused([&] { base::run(command); }).what(), testing::HasSubstr("start sh"));
}

TEST(Subprocess, DoesNotFailWithItsLog) {
  const auto full = base::open_file("/dev/full", O_WRONLY);
  auto command = shell("echo out");
  command.log_fd = full.fd();
  EXPECT_EQ(base::run_checked(command).output, "out\n");
}

}  // namespace

#include "base/failpoint.h"

#ifdef MEPH2_FAILPOINTS

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/strings.h"

namespace base::failpoint {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

struct Plan {
  std::uint64_t at = 0;
  std::string mode;
  std::string where;
  std::string log = variable("SS_FAILPOINT_LOG");

  Plan() {
    auto parts = split(variable("SS_FAILPOINT"), ':');
    parts.resize(3);
    at = parse_decimal(parts[0]).value_or(0);
    mode = parts[1];
    where = parts[2];
  }
};

const Plan& plan() {
  static const Plan the_plan;
  return the_plan;
}

std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> places{0};
std::atomic<bool> tear_next{false};

void record(std::uint64_t number, std::string_view call, std::string_view object) {
  const int fd = ::open(plan().log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd >= 0) {
    const auto line = cat(number, " ", call, " ", object, "\n");
    [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
    ::close(fd);
  }
}

void stop_at(std::string_view call, std::string_view object) {
  if (cat(call, " ", object).find(plan().where) == std::string::npos || ++places != plan().at) {
    return;
  }
  ::raise(SIGSTOP);
  sigset_t pending{};
  do {  // until whoever waits for signals has seen it
    ::sched_yield();
    ::sigpending(&pending);
  } while (::sigismember(&pending, SIGTERM) == 1);
}

}  // namespace

void die() {
  ::kill(::getpid(), SIGKILL);
}

int check(std::string_view call, std::string_view object) {
  const auto number = ++calls;
  if (!plan().log.empty()) {
    record(number, call, object);
  }
  if (plan().mode == "stop") {
    stop_at(call, object);
    return 0;
  }
  const bool hit = number == plan().at;
  if (plan().at == 0 || (!hit && !(plan().mode == "enospc-on" && number > plan().at))) {
    return 0;
  }
  if (plan().mode == "torn" && call == "write") {
    tear_next = true;
    return 0;
  }
  if (plan().mode == "kill" || plan().mode == "torn") {
    die();
  }
  return plan().mode == "eio" ? EIO : ENOSPC;
}

void reads(std::string_view object) {
  if (plan().mode == "stop") {
    check("read", object);
  }
}

std::size_t torn_size(std::size_t size) {
  return tear_next ? size / 2 : size;
}

void sync(const char* name) {
  const char* fifo = std::getenv(cat("SS_SYNC_", name).c_str());
  if (fifo != nullptr) {
    const int fd = ::open(fifo, O_RDONLY | O_CLOEXEC);
    char byte = 0;
    while (fd >= 0 && ::read(fd, &byte, 1) > 0) {
    }
    ::close(fd);
  }
}

}  // namespace base::failpoint

#endif

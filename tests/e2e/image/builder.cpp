#include "tests/e2e/image/builder.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/file_lock.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace builder_test {

namespace {

const std::string program = BINARY_DIR "/maas-cloudimg2eph2";
const std::string cache = CACHE_DIR "/roots";

/// Polls: what is waited for happens in other processes.
bool within(std::chrono::seconds time, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::vector<std::string> debian_sources() {
  std::vector<std::string> out;
  for (const auto* pattern : {"/etc/apt/sources.list", "/etc/apt/sources.list.d/*"}) {
    glob_t found{};
    if (::glob(pattern, 0, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) {
        const std::string path = found.gl_pathv[i];  // NOLINT: the C layout
        if (base::read_file(path).find("bookworm main") != std::string::npos ||
            base::read_file(path).find("Suites: bookworm") != std::string::npos) {
          out.push_back(path);
        }
      }
    }
    ::globfree(&found);
  }
  return out;
}

void make_roots() {
  base::Command command;
  command.argv = {SOURCE_DIR "/tests/e2e/image/make-roots", cache};
  const auto sources = debian_sources();
  command.argv.insert(command.argv.end(), sources.begin(), sources.end());
  command.capture_error = true;
  base::run_checked(command);
}

Roots find_roots() {
  Roots out{cache + "/debian.squashfs", cache + "/local.squashfs", cache + "/local.tar", ""};
  if (::geteuid() != 0) {
    out.skip_reason = "not root: no root file system can be bootstrapped and mounted";
    return out;
  }
  base::make_directories(cache);
  const auto directory = base::open_directory(cache);
  const base::FileLock lock(directory.fd(), "lock", base::LockMode::exclusive,
                            std::chrono::minutes(10));
  if (exists(out.local_tar)) {
    return out;
  }
  try {
    make_roots();
  } catch (const base::Error& error) {
    out.skip_reason = base::cat("no Debian 12 can be bootstrapped here: ", error.what());
  }
  return out;
}

constexpr const char* archive_url = "http://archive.test/";

}  // namespace

const Roots& roots() {
  static const auto found = find_roots();
  return found;
}

LocalArchive::LocalArchive() {
  server_.offer_directory(archive_url, cache + "/archive");
  ::setenv("http_proxy", server_.url("").c_str(), 1);
}

LocalArchive::~LocalArchive() {
  ::unsetenv("http_proxy");
}

void LocalArchive::stall_kernel_once() {
  const auto pool = cache + "/archive/pool/";
  for (const auto& name : base::list_directory(pool)) {
    if (name.starts_with("linux-image-6")) {
      const auto content = base::read_file(pool + name);
      server_.on_each(base::cat(archive_url, "pool/", name),
                      {support::HttpAnswer{.body = content, .stall_at = content.size() / 2},
                       support::HttpAnswer{.body = content}});
    }
  }
}

base::Outcome build(const std::vector<std::string>& words) {
  base::Command command;
  command.argv = {program};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.capture_output = true;
  command.capture_error = true;
  return base::run(command);
}

std::string output_of(const std::vector<std::string>& argv) {
  base::Command command;
  command.argv = argv;
  command.capture_output = true;
  command.capture_error = true;
  const auto outcome = base::run(command);
  EXPECT_EQ(outcome.status, 0) << base::shell_quote(argv) << ": " << outcome.error;
  return outcome.output;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string pack_option(const std::string& package, const std::string& directory) {
  return base::cat("--krd-pack=", package, ",", directory, "/", package, "/boot-kernel,", directory,
                   "/", package, "/boot-initrd");
}

RunningBuilder::RunningBuilder(const std::vector<std::string>& words,
                               const std::vector<std::string>& before) {
  auto argv = before.empty() ? std::vector<std::string>{program} : before;
  argv.insert(argv.end(), words.begin(), words.end());
  std::vector<char*> raw;
  for (auto& word : argv) {
    raw.push_back(word.data());
  }
  raw.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::execvp(raw[0], raw.data());
    ::_exit(127);
  }
}

RunningBuilder::~RunningBuilder() {
  if (!ended_) {
    kill(SIGKILL);
    wait();
  }
}

bool RunningBuilder::wait_until_exists(const std::string& pattern) {
  bool found = false;
  within(std::chrono::minutes(5), [&] {
    glob_t matches{};
    found = ::glob(pattern.c_str(), GLOB_PERIOD, nullptr, &matches) == 0;
    ::globfree(&matches);
    siginfo_t info{};
    const bool ended =
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid_;
    return found || ended;
  });
  return found;
}

std::vector<pid_t> RunningBuilder::family() const {
  std::vector<pid_t> out = {pid_};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto tasks = base::cat("/proc/", out[i], "/task");
    if (!exists(tasks)) {
      continue;
    }
    for (const auto& task : base::list_directory(tasks)) {
      try {
        const auto children = base::read_file(base::cat(tasks, "/", task, "/children"));
        for (const auto& word : base::split_list(children, ' ')) {
          out.push_back(static_cast<pid_t>(base::parse_decimal(word).value_or(0)));
        }
      } catch (const base::Error&) {
        continue;  // it ended meanwhile
      }
    }
  }
  return out;
}

void RunningBuilder::kill(int signal) const {
  ::kill(pid_, signal);
}

int RunningBuilder::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = true;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

namespace {

/// A process that ended and that nobody has waited for yet (its parent was killed) does no harm.
bool runs(pid_t pid) {
  try {
    const auto stat = base::read_file(base::cat("/proc/", pid, "/stat"));
    const auto state = stat.find(") ");
    return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
  } catch (const base::Error&) {
    return false;
  }
}

}  // namespace

bool all_gone(const std::vector<pid_t>& family) {
  return within(std::chrono::seconds(10), [&family] {
    for (const auto pid : family) {
      if (runs(pid)) {
        return false;
      }
    }
    return true;
  });
}

bool no_loops(const std::string& directory) {
  return within(std::chrono::seconds(10), [&directory] {
    glob_t found{};
    bool none = true;
    if (::glob("/sys/block/loop*/loop/backing_file", 0, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) {
        try {
          none = none && !base::read_file(found.gl_pathv[i]).starts_with(directory);  // NOLINT
        } catch (const base::Error&) {
          continue;  // it was let go meanwhile
        }
      }
    }
    ::globfree(&found);
    return none;
  });
}

}  // namespace builder_test

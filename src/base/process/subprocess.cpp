#include "base/process/subprocess.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/stop.h"
#include "base/strings.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace base {

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  for (const auto& directory :
       split(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    if (!directory.starts_with('/')) {
      continue;
    }
    const auto candidate = cat(directory, "/", name);

    struct stat status {};

    if (::access(candidate.c_str(), X_OK) == 0 && ::stat(candidate.c_str(), &status) == 0 &&
        S_ISREG(status.st_mode)) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::string shell_quote(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  for (const auto& word : argv) {
    const bool plain =
        !word.empty() && word.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "@%+=:,./_-") == std::string::npos;
    words.push_back(plain ? word : cat("'", replace_all(word, "'", "'\\''"), "'"));
  }
  return join(words, " ");
}

namespace {

constexpr auto kill_grace = std::chrono::seconds(10);
constexpr auto poll_milliseconds = 200;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    throw_errno(errno, "make", "pipe");
  }
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> out;
  if (!command.clear_env) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      if (!command.env.contains(std::string(text.substr(0, text.find('='))))) {
        out.emplace_back(text);
      }
    }
  }
  for (const auto& [name, value] : command.env) {
    out.push_back(cat(name, "=", value));
  }
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const auto& text : strings) {
    out.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve's signature
  }
  out.push_back(nullptr);
  return out;
}

/// What the child does between fork and exec: async-signal-safe calls only.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* directory;
  int in;
  int out;
  int err;
  int report;
  const std::vector<int>* keep;
  bool own_group;
  pid_t parent;
  bool (*before_exec)(const void* data);
  const void* before_exec_data;
};

[[noreturn]] void report_and_exit(int report) {
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) {
    ::_exit(127);  // the parent died before prctl
  }
  if (plan.own_group) {
    ::setpgid(0, 0);
  }
  sigset_t none{};
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    ::signal(number, SIG_DFL);
  }
  // dup2 of a descriptor onto itself would leave O_CLOEXEC set: move out of the way first.
  const int in = plan.in >= 0 ? ::fcntl(plan.in, F_DUPFD, 3) : -1;
  const int out = plan.out >= 0 ? ::fcntl(plan.out, F_DUPFD, 3) : -1;
  const int err = plan.err >= 0 ? ::fcntl(plan.err, F_DUPFD, 3) : -1;
  if ((in >= 0 && ::dup2(in, 0) < 0) || (out >= 0 && ::dup2(out, 1) < 0) ||
      (err >= 0 && ::dup2(err, 2) < 0)) {
    report_and_exit(plan.report);
  }
  for (const int fd : {in, out, err}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
  // Whoever started us may have left descriptors open, which are nobody else's business.
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    report_and_exit(plan.report);
  }
  for (const int fd : *plan.keep) {
    ::fcntl(fd, F_SETFD, 0);
  }
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) {
    report_and_exit(plan.report);
  }
  if (plan.before_exec == nullptr || plan.before_exec(plan.before_exec_data)) {
    ::execve(plan.program, plan.argv, plan.envp);
  }
  report_and_exit(plan.report);
}

/// Best effort: a command does not fail because its log cannot be written.
void write_best_effort(int fd, std::string_view bytes) {
  while (fd >= 0 && !bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      return;
    }
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
}

/// What a program printed, for logs and terminals: its lines, and nothing that a terminal would act
/// on.
std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find_first_of("\n\t"), bytes.size());
    out += escape_control(bytes.substr(0, end));
    out += bytes.substr(end, 1);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return out;
}

/// Writes to the log of a command, and lets what the command prints end its last line.
class CommandLog {
 public:
  explicit CommandLog(const Command& command) : fd_(command.log_fd) {
    line(cat("$ ", redact_urls(shell_quote(command.argv))));
  }

  void output(std::string_view bytes) {
    write_best_effort(fd_, bytes);
    in_line_ = bytes.back() != '\n';
  }

  void line(std::string_view text) {
    write_best_effort(fd_, cat(in_line_ ? "\n" : "", escape_control(text), "\n"));
    in_line_ = false;
  }

 private:
  int fd_;
  bool in_line_ = false;
};

/// Copies between our ends of the pipes and memory until the child closed its ends.
class Pump {
 public:
  Pump(const Command& command, Pipe& in, Pipe& out, Pipe& err, Outcome& outcome, CommandLog& log)
      : input_(command.input ? std::string_view(*command.input) : std::string_view()),
        in_(in.write),
        out_(out.read),
        err_(err.read),
        outcome_(outcome),
        keep_last_(command.keep_last),
        echo_(command.echo_fds),
        log_(log) {}

  bool open() const { return in_ || out_ || err_; }

  void step() {
    std::array<pollfd, 3> fds = {pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0},
                                 pollfd{err_.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), poll_milliseconds) <= 0) {
      return;
    }
    if (fds[0].revents != 0) {
      feed();
    }
    if (fds[1].revents != 0) {
      drain(out_, outcome_.output);
    }
    if (fds[2].revents != 0) {
      drain(err_, outcome_.error);
    }
  }

 private:
  void feed() {
    const auto count =
        ::write(in_.get(), input_.data(), std::min<std::size_t>(input_.size(), 4096));
    if (count > 0) {
      input_.remove_prefix(static_cast<std::size_t>(count));
    }
    if (input_.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) {
      in_.reset();
    }
  }

  void drain(UniqueFd& fd, std::string& into) {
    std::array<char, 65536> buffer{};
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count > 0) {
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      into.append(bytes);
      if (keep_last_ > 0 && into.size() > 2 * keep_last_) {
        into.erase(0, into.size() - keep_last_);
      }
      const auto shown = printable(bytes);
      for (const int each : echo_) {
        write_best_effort(each, shown);
      }
      log_.output(shown);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      fd.reset();
    }
  }

  std::string_view input_;
  UniqueFd& in_;
  UniqueFd& out_;
  UniqueFd& err_;
  Outcome& outcome_;
  std::size_t keep_last_;
  const std::vector<int>& echo_;
  CommandLog& log_;
};

std::string text_of(int status) {
  return status > 128 ? cat("killed by signal ", status - 128) : cat("exit status ", status);
}

int decode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Signals the child's whole group once a stop is requested or its time is over, harder after a
/// while.
class Terminator {
 public:
  Terminator(pid_t pid, const Command& command, std::stop_token stop)
      : target_(command.own_group ? -pid : pid),
        stop_(std::move(stop)),
        most_time_(command.most_time) {}

  void step() {
    const auto now = std::chrono::steady_clock::now();
    late_ = late_ || (most_time_.count() > 0 && now - started_ > most_time_);
    if (!stop_.stop_requested() && !late_) {
      return;
    }
    if (!asked_) {
      asked_ = true;
      deadline_ = now + kill_grace;
      ::kill(target_, SIGTERM);
    } else if (now > deadline_) {
      ::kill(target_, SIGKILL);
    }
  }

  bool asked() const { return asked_; }

  bool late() const { return late_; }

 private:
  pid_t target_;
  std::stop_token stop_;
  std::chrono::seconds most_time_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool asked_ = false;
  bool late_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

int wait_for(pid_t pid, Pump& pump, Terminator& terminator) {
  int status = 0;
  while (true) {
    terminator.step();
    const auto done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) {
      break;
    }
    if (done < 0 && errno != EINTR) {
      throw_errno(errno, "wait for", "child process");
    }
    if (pump.open()) {
      pump.step();
    } else {
      // Nothing to copy: wait for the child itself, waking up now and then for the stop token.
      const auto pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      pollfd fd{pidfd.get(), POLLIN, 0};
      ::poll(&fd, pidfd ? 1 : 0, pidfd ? poll_milliseconds : 10);
    }
  }
  // A grandchild may keep a pipe open for ever: take what is there, do not wait for the end.
  for (int i = 0; i < 4 && pump.open(); ++i) {
    pump.step();
  }
  return decode(status);
}

}  // namespace

Outcome run(const Command& command, const std::stop_token& stop) {
  check_stop(stop);
  const auto& name = command.argv.at(0);
  const auto program = find_program(name);
  if (!program) {
    throw Error(Errc::not_found, cat("run ", name, ": no such program in PATH"));
  }
  const auto environment = environment_of(command);
  const auto argv = pointers(command.argv);
  const auto envp = pointers(environment);
  auto report = make_pipe();
  Pipe in;
  Pipe out;
  Pipe err;
  UniqueFd null;
  if (command.input) {
    in = make_pipe();
  } else if (command.input_fd < 0) {
    null = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  if (command.capture_output) {
    out = make_pipe();
  }
  if (command.capture_error) {
    err = make_pipe();
  }
  const ChildPlan plan{program->c_str(),
                       argv.data(),
                       envp.data(),
                       command.directory.empty() ? nullptr : command.directory.c_str(),
                       command.input          ? in.read.get()
                       : command.input_fd < 0 ? null.get()
                                              : command.input_fd,
                       command.capture_output ? out.write.get() : command.output_fd,
                       err.write.get(),
                       report.write.get(),
                       &command.keep_fds,
                       command.own_group,
                       ::getpid(),
                       command.before_exec,
                       command.before_exec_data};
  CommandLog log(command);
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw_errno(errno, "start", name);
  }
  if (pid == 0) {
    run_child(plan);
  }
  in.read.reset();
  out.write.reset();
  err.write.reset();
  report.write.reset();
  int exec_error = 0;
  const bool exec_failed = ::read(report.read.get(), &exec_error, sizeof exec_error) > 0;
  Outcome outcome;
  Pump pump(command, in, out, err, outcome, log);
  Terminator terminator(pid, command, stop);
  outcome.status = wait_for(pid, pump, terminator);
  log.line(text_of(outcome.status));
  if (exec_failed) {
    throw_errno(exec_error, "start", name);
  }
  if (terminator.late() && !stop.stop_requested()) {
    throw Error(
        Errc::failed,
        cat("run ", name, ": took longer than the ", command.most_time.count(), " s that it may",
            command.most_time_from.empty() ? "" : cat(" (", command.most_time_from, ")")));
  }
  if (terminator.asked()) {
    throw Stopped();
  }
  return outcome;
}

namespace {

std::string last_lines(std::string_view text) {
  const auto lines = split(trim(text), '\n');
  const std::size_t keep = 5;
  const auto start = lines.size() > keep ? lines.size() - keep : 0;
  return join({lines.begin() + static_cast<std::ptrdiff_t>(start), lines.end()}, " | ");
}

}  // namespace

Outcome run_checked(const Command& command, const std::stop_token& stop) {
  auto outcome = run(command, stop);
  if (outcome.status != 0) {
    const auto tail = last_lines(outcome.error);
    throw Error(Errc::failed, cat(split(command.argv[0], '/').back(), ": ", text_of(outcome.status),
                                  tail.empty() ? "" : ": ", tail));
  }
  return outcome;
}

}  // namespace base

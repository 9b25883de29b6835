#include "meph2/image/sandbox/namespaces.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr SubordinateIds last_of_containers{0x6FFF0000, 65536};

SubordinateIds range_of_root(const char* file) {
  try {
    const auto text = base::read_file(file, 1U << 20U);
    return find_subordinate_ids(text, "root", 0).value_or(last_of_containers);
  } catch (const Error&) {
    return last_of_containers;
  }
}

void write_map(pid_t process, const char* name, const SubordinateIds& range) {
  auto map = base::open_file(base::cat("/proc/", process, "/", name), O_WRONLY);
  map.write(base::cat("0 ", range.first, " ", range.count, "\n"));
  map.close();
}

/// From now on nobody of the machine outside: neither its user nor its groups.
void become_root_of_images() {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
    base::throw_errno(errno, "become root of", "the image's ids");
  }
  // The kernel forgot both with the change of credentials.
  ::prctl(PR_SET_DUMPABLE, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/// An end of file on `parent` means that it died, before we asked to die with it perhaps.
void require_parent(int parent) {
  pollfd watched{parent, POLLIN, 0};
  if (::poll(&watched, 1, 0) != 0) {
    ::_exit(1);
  }
}

int status_of_child(pid_t child) {
  int status = 0;
  while (true) {
    const auto ended = ::waitpid(-1, &status, 0);  // orphans come to the first process
    if (ended == child) {
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (ended < 0 && errno != EINTR) {
      return 1;
    }
  }
}

/// Starts a process that does `work` and exits with what it returns.
pid_t start(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid < 0) {
    base::throw_errno(errno, "start", "process of the sandbox");
  }
  if (pid == 0) {
    int status = 1;
    try {
      status = work();
    } catch (...) {
      status = 1;  // who works reports its own errors
    }
    ::_exit(status);
  }
  return pid;
}

/// The first process of the namespaces: mounts, and waits for a second pid namespace in which the
/// work is done, so that the work can end all beside it and not what its files come from.
int run_first(int parent, const SandboxWork& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  work.open();
  become_root_of_images();
  require_parent(parent);
  ::close(parent);
  // What the host has of the keys of its root is not for those in here.
  if (::syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, nullptr) < 0 && errno != ENOSYS) {
    base::throw_errno(errno, "join", "an empty session keyring");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    base::throw_errno(errno, "make private", "the mounts");
  }
  work.mount();
  if (::unshare(CLONE_NEWPID) != 0) {
    base::throw_errno(errno, "make", "second pid namespace");
  }
  return status_of_child(start([&] {
    const auto worker = start(work.run);
    // The image sees this process as its first one: it has nothing of the host open.
    if (::close_range(3, ~0U, 0) != 0) {
      return 1;
    }
    return status_of_child(worker);
  }));
}

}  // namespace

ImageIds image_ids() {
  const ImageIds of_root{range_of_root("/etc/subuid"), range_of_root("/etc/subgid")};
  // In a namespace of an account, or a container, there are fewer.
  const bool there = std::ranges::any_of(mapped_users(), [&](const auto& mapped) {
    return of_root.users.first >= mapped.first &&
           of_root.users.first - mapped.first + std::uint64_t{of_root.users.count} <= mapped.count;
  });
  constexpr SubordinateIds all_but_root{1, 65535};
  return there && !in_user_namespace() ? of_root : ImageIds{all_but_root, all_but_root};
}

void give_to_image(const std::string& path) {
  const auto ids = image_ids();
  if (::lchown(path.c_str(), ids.users.first, ids.groups.first) != 0) {
    base::throw_errno(errno, "give to the image", path);
  }
}

int run_in_sandbox(bool network, const SandboxWork& work) {
  std::array<int, 2> alive{};
  if (::pipe2(alive.data(), O_CLOEXEC) != 0) {
    base::throw_errno(errno, "make", "pipe");
  }
  const auto ids = image_ids();
  const pid_t self = ::getpid();
  const int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                    CLONE_NEWCGROUP | (network ? 0 : CLONE_NEWNET);
  const auto entered = enter_users(flags, "mapper of ids", [&] {
    write_map(self, "uid_map", ids.users);
    write_map(self, "gid_map", ids.groups);
    work.outside(self);
    return true;
  });
  if (entered.error != 0 || !entered.mapped) {
    throw Error(Errc::refused,
                base::cat("make namespaces: ",
                          entered.error == EPERM
                              ? "not permitted (a container that allows user namespaces and "
                                "mounts is needed)"
                          : entered.error != 0 ? "not possible on this kernel"
                                               : "their ids cannot be mapped"));
  }
  const pid_t first = start([&] {
    ::close(alive[1]);
    return run_first(alive[0], work);
  });
  ::close(alive[0]);
  const int status = status_of_child(first);
  ::close(alive[1]);
  return status;
}

void close_all_but(int fd) {
  if ((fd > 3 && ::close_range(3, static_cast<unsigned>(fd - 1), 0) != 0) ||
      ::close_range(static_cast<unsigned>(fd + 1), ~0U, 0) != 0) {
    base::throw_errno(errno, "close", "what the host has open");
  }
}

void end_other_processes() {
  // The kernel leaves out ourselves and the first process, which waits for those that have ended.
  while (::kill(-1, SIGKILL) == 0) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    ::sched_yield();
  }
  if (errno != ESRCH) {
    base::throw_errno(errno, "end", "the processes of the image");
  }
}

}  // namespace meph2::image

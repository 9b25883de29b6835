#include "meph2/image/sandbox/unprivileged.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

/// Ids 1 to 65535 of an image; 0 is the account that builds.
constexpr std::uint32_t ids_needed = 65535;

std::string text_of(const char* path) {
  try {
    return base::read_file(path, 1U << 20U);
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::uint64_t> number_of(const char* path) {
  return base::parse_decimal(base::trim(text_of(path)));
}

std::string account() {
  const auto* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe): called by one
  return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

/// Runs newuidmap or newgidmap for a process; false with a status other than 0.
bool map_ids(const char* program, pid_t process, std::uint32_t own, const SubordinateIds& range) {
  base::Command command;
  command.argv = {program,
                  std::to_string(process),
                  "0",
                  std::to_string(own),
                  "1",
                  "1",
                  std::to_string(range.first),
                  std::to_string(ids_needed)};
  return base::run(command).status == 0;
}

}  // namespace

bool kernel_is_at_least(const std::string& release, std::uint64_t major, std::uint64_t minor) {
  const auto parts = base::split(release, '.');
  if (parts.size() < 2) {
    return true;  // not ours to judge
  }
  const auto first = base::parse_decimal(parts[0]).value_or(0);
  const auto second =
      base::parse_decimal(parts[1].substr(0, parts[1].find_first_not_of("0123456789"))).value_or(0);
  return first > major || (first == major && second >= minor);
}

std::optional<SubordinateIds> find_subordinate_ids(std::string_view text, const std::string& user,
                                                   std::uint32_t id) {
  for (const auto& line : base::split(text, '\n')) {
    const auto parts = base::split(base::trim(line), ':');
    if (parts.size() != 3 || (parts[0] != user && parts[0] != std::to_string(id))) {
      continue;
    }
    const auto first = base::parse_decimal(parts[1]);
    const auto count = base::parse_decimal(parts[2]);
    if (first && count && *count >= ids_needed && *first <= UINT32_MAX - ids_needed) {
      return SubordinateIds{static_cast<std::uint32_t>(*first), ids_needed};
    }
  }
  return std::nullopt;
}

UnprivilegedFacts read_unprivileged_facts() {
  UnprivilegedFacts facts;
  facts.user = account();
  facts.uid = ::geteuid();
  facts.subuid = text_of("/etc/subuid");
  facts.subgid = text_of("/etc/subgid");
  facts.newuidmap = base::find_program("newuidmap").has_value();
  facts.newgidmap = base::find_program("newgidmap").has_value();

  struct utsname system {};

  ::uname(&system);
  facts.kernel = static_cast<const char*>(system.release);
  facts.most_namespaces = number_of("/proc/sys/user/max_user_namespaces");
  facts.debian_switch = number_of("/proc/sys/kernel/unprivileged_userns_clone");
  facts.apparmor_switch = number_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  facts.apparmor_profile = base::trim(text_of("/proc/self/attr/current")) != "unconfined";
  facts.fuse = has_fuse();
  facts.unsquashfs = base::find_program("unsquashfs").has_value();
  return facts;
}

std::vector<std::string> missing_for_unprivileged(const UnprivilegedFacts& facts) {
  std::vector<std::string> out;
  const auto need = [&out](bool there, std::string text) {
    if (!there) {
      out.push_back(std::move(text));
    }
  };
  const auto range = [&](const std::string& text, const char* file, const char* option) {
    need(find_subordinate_ids(text, facts.user, facts.uid).has_value(),
         base::cat(file, " gives ", facts.user, " no range of ", ids_needed, " ids (usermod ",
                   option, " 100000-165535 ", facts.user, ", or a range that nobody has)"));
  };
  need(facts.newuidmap, "there is no newuidmap (install the package uidmap)");
  need(facts.newgidmap || !facts.newuidmap, "there is no newgidmap (install the package uidmap)");
  range(facts.subuid, "/etc/subuid", "--add-subuids");
  range(facts.subgid, "/etc/subgid", "--add-subgids");
  need(facts.most_namespaces.value_or(1) > 0,
       "user namespaces are switched off (sysctl user.max_user_namespaces is 0)");
  need(facts.debian_switch.value_or(1) > 0,
       "user namespaces are for root only (sysctl kernel.unprivileged_userns_clone is 0)");
  need(facts.apparmor_switch.value_or(0) == 0 || facts.apparmor_profile,
       "AppArmor takes the rights in user namespaces away (sysctl "
       "kernel.apparmor_restrict_unprivileged_userns is 1: set it to 0, or give the builder a "
       "profile in /etc/apparmor.d with 'userns,')");
  need(kernel_is_at_least(facts.kernel, 5, 11),
       base::cat("kernel ", facts.kernel, " mounts overlays for root only (5.11 is needed)"));
  need(facts.fuse || facts.unsquashfs,
       "nothing opens a squashfs: neither squashfuse with /dev/fuse (package squashfuse) nor "
       "unsquashfs (package squashfs-tools)");
  return out;
}

Entered enter_users(int flags, const char* mapper, const std::function<bool()>& map) {
  std::array<int, 2> ready{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0) {
    base::throw_errno(errno, "make", "pipe");
  }
  const pid_t child = ::fork();
  if (child < 0) {
    base::throw_errno(errno, "start", mapper);
  }
  if (child == 0) {
    ::close(ready[1]);
    char byte = 0;
    bool done = false;
    try {
      done = ::read(ready[0], &byte, 1) == 1 && map();
    } catch (...) {
      done = false;  // its parent says so
    }
    ::_exit(done ? 0 : 1);
  }
  ::close(ready[0]);
  const int error = ::unshare(flags) == 0 ? 0 : errno;
  [[maybe_unused]] const auto told = ::write(ready[1], "x", error == 0 ? 1 : 0);
  ::close(ready[1]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {error, status == 0};
}

bool has_fuse() {
  return base::find_program("squashfuse_ll").has_value() &&
         base::UniqueFd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
}

void exec_in_user_namespace(const std::vector<std::string>& argv) {
  const auto missing = missing_for_unprivileged(read_unprivileged_facts());
  if (!missing.empty()) {
    throw Error(Errc::refused,
                base::cat("build without root: ", base::join(missing, "; "), "; or run as root"));
  }
  std::vector<std::string> words = argv;
  words.insert(words.begin() + 1, user_namespace_option);
  std::vector<char*> raw;
  raw.reserve(words.size() + 1);
  for (auto& word : words) {
    raw.push_back(word.data());
  }
  raw.push_back(nullptr);
  ::execv("/proc/self/exe", raw.data());
  base::throw_errno(errno, "start again", argv.at(0));
}

void enter_user_namespace() {
  // A stop that was asked for while the signals were blocked for the thread that takes them.
  sigset_t none{};
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto user = account();
  const auto uids = find_subordinate_ids(text_of("/etc/subuid"), user, ::geteuid());
  const auto gids = find_subordinate_ids(text_of("/etc/subgid"), user, ::geteuid());
  if (!uids || !gids) {
    throw Error(Errc::refused, base::cat("build without root: no subordinate ids of ", user));
  }
  const pid_t self = ::getpid();
  const pid_t parent = ::getppid();
  int bound = 0;  // the signal that we get when whoever started us dies
  ::prctl(PR_GET_PDEATHSIG, &bound);
  const auto entered = enter_users(CLONE_NEWUSER, "newuidmap", [&] {
    return map_ids("newuidmap", self, ::geteuid(), *uids) &&
           map_ids("newgidmap", self, ::getegid(), *gids);
  });
  if (entered.error != 0) {
    throw Error(Errc::refused,
                base::cat("build without root: this machine allows no user namespaces (",
                          std::generic_category().message(entered.error),
                          "; a container may forbid them)"));
  }
  if (!entered.mapped) {
    throw Error(Errc::refused,
                base::cat("build without root: newuidmap and newgidmap do not map the ids of ",
                          user, " (are both setuid root? a reinstalled package uidmap is)"));
  }
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
    base::throw_errno(errno, "become root of", "the user namespace");
  }
  // The kernel forgot both with the change of credentials.
  ::prctl(PR_SET_DUMPABLE, 1);
  if (bound != 0) {
    ::prctl(PR_SET_PDEATHSIG, bound);
    if (::getppid() != parent) {
      ::_exit(128 + bound);
    }
  }
}

std::vector<SubordinateIds> mapped_users() {
  std::vector<SubordinateIds> out;
  for (const auto& line : base::split(text_of("/proc/self/uid_map"), '\n')) {
    const auto words = base::split_list(line, ' ');
    const auto first = base::parse_decimal(words.empty() ? "" : words[0]);
    const auto count = base::parse_decimal(words.size() < 3 ? "" : words[2]);
    if (first && count) {
      out.push_back({static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*count)});
    }
  }
  return out;
}

bool in_user_namespace() {
  const auto mapped = mapped_users();
  return mapped.size() == 2 && mapped[0].first == 0 && mapped[0].count == 1 &&
         mapped[1].first == 1 && mapped[1].count >= ids_needed;
}

}  // namespace meph2::image

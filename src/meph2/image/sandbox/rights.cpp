#include "meph2/image/sandbox/rights.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"

#include <seccomp.h>

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

/// What is refused as something that is there and not for this program; every other call that is
/// not allowed is unknown (ENOSYS), which programs know to do without.
constexpr std::string_view refused_calls =
    "acct add_key bpf clock_adjtime clock_adjtime64 clock_settime clock_settime64 "
    "delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick init_module ioperm "
    "iopl "
    "kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount "
    "open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv "
    "process_vm_writev ptrace quotactl quotactl_fd reboot request_key setdomainname sethostname "
    "setns "
    "settimeofday stime swapoff swapon syslog umount umount2 unshare userfaultfd vhangup vm86 "
    "vm86old";

class Filter {
 public:
  explicit Filter(std::uint32_t usual) : context_(::seccomp_init(usual)) {
    check(context_ ? 0 : -ENOMEM, "make");
    // Programs of the other size of words run as well; those of no architecture of ours do not.
    for (const auto other : {std::uint32_t{SCMP_ARCH_X86}, std::uint32_t{SCMP_ARCH_ARM}}) {
      const bool fits = (other == SCMP_ARCH_X86 && ::seccomp_arch_native() == SCMP_ARCH_X86_64) ||
                        (other == SCMP_ARCH_ARM && ::seccomp_arch_native() == SCMP_ARCH_AARCH64);
      if (fits) {
        check(::seccomp_arch_add(context_.get(), other), "widen");
      }
    }
  }

  /// A call that this libseccomp does not know is left as the others are.
  void rule(std::string_view call, std::uint32_t action,
            const std::vector<scmp_arg_cmp>& when = {}) {
    const int number = ::seccomp_syscall_resolve_name(std::string(call).c_str());
    if (number == __NR_SCMP_ERROR) {
      return;
    }
    check(::seccomp_rule_add_array(context_.get(), action, number,
                                   static_cast<unsigned>(when.size()), when.data()),
          call);
  }

  std::vector<sock_filter> program() const {
    base::File file(base::UniqueFd(::memfd_create("filter", MFD_CLOEXEC)), "the filter of calls");
    check(::seccomp_export_bpf(context_.get(), file.fd()), "export");
    file.seek(0);
    const auto bytes = base::read_all(file);
    std::vector<sock_filter> out(bytes.size() / sizeof(sock_filter));
    std::copy_n(bytes.data(), out.size() * sizeof(sock_filter),
                reinterpret_cast<char*>(out.data()));  // NOLINT: as the kernel has it
    return out;
  }

 private:
  static void check(int result, std::string_view what) {
    if (result != 0) {
      base::throw_errno(-result, "filter system calls:", std::string(what));
    }
  }

  struct Free {
    void operator()(void* context) const { ::seccomp_release(context); }
  };

  std::unique_ptr<void, Free> context_;
};

/// The kernel looks at the lower half of these arguments only, and so do we.
scmp_arg_cmp low_bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

std::vector<sock_filter> calls_filter() {
  Filter filter(SCMP_ACT_ERRNO(ENOSYS));
  for (const auto& call : allowed_calls()) {
    filter.rule(call, SCMP_ACT_ALLOW);
  }
  for (const auto& call : base::split(refused_calls, ' ')) {
    filter.rule(call, SCMP_ACT_ERRNO(EPERM));
  }
  for (const std::uint64_t domain :
       {std::uint64_t{PER_LINUX}, std::uint64_t{PER_LINUX32}, std::uint64_t{0xffffffff}}) {
    filter.rule("personality", SCMP_ACT_ALLOW, {is(0, domain)});
  }
  return filter.program();
}

std::vector<sock_filter> arguments_filter() {
  Filter filter(SCMP_ACT_ALLOW);
  filter.rule("clone", SCMP_ACT_ERRNO(EPERM), {low_bits(0, CLONE_NEWUSER, CLONE_NEWUSER)});
  for (const auto request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
    filter.rule("ioctl", SCMP_ACT_ERRNO(EPERM), {low_bits(1, 0xffffffff, request)});
  }
  // A family that nobody here speaks is one that the kernel was built without.
  constexpr std::uint64_t last = AF_NETLINK;
  for (std::uint64_t family = 0; family < last; ++family) {
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
      filter.rule("socket", SCMP_ACT_ERRNO(EAFNOSUPPORT), {is(0, family)});
    }
  }
  filter.rule("socket", SCMP_ACT_ERRNO(EAFNOSUPPORT), {{0, SCMP_CMP_GT, last, 0}});
  filter.rule("socket", SCMP_ACT_ERRNO(EAFNOSUPPORT),
              {is(0, last), {2, SCMP_CMP_NE, NETLINK_ROUTE, 0}});
  return filter.program();
}

bool limit(int resource, std::uint64_t most) {
  const rlimit both{most, most};
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) == 0 && now.rlim_max < most) {
    return true;
  }
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

}  // namespace

const std::vector<int>& kept_capabilities() {
  static const std::vector<int> kept = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,     CAP_FSETID,
                                        CAP_KILL,    CAP_SETGID,       CAP_SETUID,     CAP_SETPCAP,
                                        CAP_SETFCAP, CAP_SYS_CHROOT,   CAP_AUDIT_WRITE};
  return kept;
}

void bound_capabilities() {
  const auto& kept = kept_capabilities();
  for (int each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each) {
    if (std::ranges::find(kept, each) == kept.end() &&
        ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0) != 0) {
      base::throw_errno(errno, "take", base::cat("capability ", each));
    }
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    base::throw_errno(errno, "take", "ambient capabilities");
  }
}

ProgramRights::ProgramRights(std::uint64_t largest_file)
    : filters_{calls_filter(), arguments_filter()}, largest_file_(largest_file) {}

void ProgramRights::apply(base::Command& command) const {
  command.before_exec = &ProgramRights::restrict_child;
  command.before_exec_data = this;
}

bool ProgramRights::restrict_child(const void* self) {
  const auto& rights = *static_cast<const ProgramRights*>(self);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !limit(RLIMIT_CORE, 0) ||
      !limit(RLIMIT_FSIZE, rights.largest_file_)) {
    return false;
  }
  return std::ranges::all_of(rights.filters_, [](const auto& filter) {
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             const_cast<sock_filter*>(filter.data())};  // NOLINT: prctl's signature
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  });
}

}  // namespace meph2::image

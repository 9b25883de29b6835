#include "meph2/image/sandbox/sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "meph2/image/sandbox/unprivileged.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

void mount_or_throw(const char* what, const std::string& where, const char* type,
                    unsigned long flags, const std::string& data) {
  if (::mount(what, where.c_str(), type, flags, data.c_str()) != 0) {
    base::throw_errno(errno, base::cat("mount ", type != nullptr ? type : what, " on"), where);
  }
}

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    base::throw_errno(errno, "make directory", path);
  }
}

/// The first process of the namespaces; its death takes all others along.
[[noreturn]] void run_first(int parent_alive, const std::function<int()>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 0;
  // The parent writes once it sees us: an end of file means that it died before prctl.
  if (::read(parent_alive, &byte, 1) != 1) {
    ::_exit(1);
  }
  ::close(parent_alive);
  int status = 1;
  try {
    status = body();
  } catch (...) {
    status = 1;  // `body` reports its own errors
  }
  ::_exit(status);
}

/// Number of device nodes in a squashfs.
std::size_t device_nodes(const std::string& squashfs) {
  base::Command command;
  command.argv = {"unsquashfs", "-lln", squashfs};
  command.capture_output = true;
  command.capture_error = true;
  const auto lines = base::split(base::run_checked(command).output, '\n');
  return static_cast<std::size_t>(std::ranges::count_if(lines, [](const auto& line) {
    return line.starts_with("crw") || line.starts_with("brw") || line.starts_with("c-") ||
           line.starts_with("b-");
  }));
}

/// Where FUSE may not be used: unpacked once, by the first stage of a build, for all of them.
void bind_unpacked(const Layers& layers) {
  const std::string place = "unpacked";
  if (layers.devices && device_nodes(layers.base_file) > 0) {
    throw Error(Errc::refused,
                base::cat("unpack ", layers.base_file,
                          " without root: its device nodes cannot be made, and the new root would "
                          "lack them (let this account open /dev/fuse and install the package "
                          "squashfuse, or run as root)"));
  }
  if (::access((place + "/done").c_str(), F_OK) != 0) {
    make_directory(place);
    base::Command command;
    // Device nodes are the errors that it goes on after.
    command.argv = {"unsquashfs", "-no-progress",  "-no-exit-code", "-quiet",
                    "-d",         place + "/root", "-force",        layers.base_file};
    command.capture_output = true;
    command.capture_error = true;
    base::with_context(base::cat("unpack ", layers.base_file),
                       [&command] { base::run_checked(command); });
    base::open_file(place + "/done", O_WRONLY | O_CREAT, 0644).close();
  }
  mount_or_throw((place + "/root").c_str(), "base", nullptr, MS_BIND, "");
}

/// In a user namespace no loop device can be had.
void mount_base_unprivileged(const Layers& layers) {
  if (layers.base_type != "squashfs") {
    throw Error(Errc::refused,
                base::cat("mount ", layers.base_file,
                          ": a disk image can be read by root only (without root, name a squashfs "
                          "or a root tar)"));
  }
  if (!has_fuse()) {
    bind_unpacked(layers);
    return;
  }
  base::Command command;
  // Nobody else writes to it: what the kernel has read stays good.
  const std::string options =
      "ro,allow_other,kernel_cache,entry_timeout=3600,attr_timeout=3600,negative_timeout=3600";
  command.argv = {"squashfuse", "-o", options, layers.base_file, "base"};
  command.capture_error = true;
  base::with_context(base::cat("mount ", layers.base_file),
                     [&command] { base::run_checked(command); });
}

void mount_base(const Layers& layers) {
  if (in_user_namespace()) {
    mount_base_unprivileged(layers);
    return;
  }
  std::string options = "ro,loop,nodev,nosuid";
  if (layers.base_type == "ext4") {
    options += ",noload";
  } else if (layers.base_type == "xfs") {
    options += ",norecovery,nouuid";
  }
  if (layers.base_offset > 0) {
    options += base::cat(",offset=", layers.base_offset);
  }
  if (layers.base_size > 0) {
    options += base::cat(",sizelimit=", layers.base_size);
  }
  base::Command command;
  command.argv = {"mount", "-t", layers.base_type, "-o", options, layers.base_file, "base"};
  command.capture_error = true;
  base::with_context(base::cat("mount ", layers.base_file),
                     [&command] { base::run_checked(command); });
}

void bind_device(const std::string& name) {
  const auto target = base::cat("root/dev/", name);
  base::UniqueFd(::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
  const auto source = base::cat("/dev/", name);
  mount_or_throw(source.c_str(), target, nullptr, MS_BIND, "");
}

void mount_devices() {
  make_directory("root/dev");
  mount_or_throw("tmpfs", "root/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k");
  for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    bind_device(name);
  }
  make_directory("root/dev/pts");
  mount_or_throw("devpts", "root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=0620");
  make_directory("root/dev/shm");
  mount_or_throw("tmpfs", "root/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  for (const auto& [target, name] :
       {std::pair{"/proc/self/fd", "fd"}, std::pair{"/proc/self/fd/0", "stdin"},
        std::pair{"/proc/self/fd/1", "stdout"}, std::pair{"/proc/self/fd/2", "stderr"},
        std::pair{"pts/ptmx", "ptmx"}}) {
    if (::symlink(target, base::cat("root/dev/", name).c_str()) != 0) {
      base::throw_errno(errno, "make symlink", name);
    }
  }
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  file.write(text);
  file.chmod(mode);
  file.close();
}

void protect(const std::string& path) {
  if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0) {
    ::mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
  }
}

}  // namespace

void drop_capabilities() {
  for (const int capability :
       {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_SYS_ADMIN, CAP_SYS_PTRACE,
        CAP_SYSLOG, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_WAKE_ALARM, CAP_NET_ADMIN}) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

int run_in_namespaces(bool network, const std::function<int()>& body) {
  const int flags =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | (network ? 0 : CLONE_NEWNET);
  if (::unshare(flags) != 0) {
    throw Error(Errc::failed,
                base::cat("make namespaces: ",
                          errno == EPERM ? "not permitted (root, and a container that allows "
                                           "mounts, are needed)"
                                         : "not possible on this kernel"));
  }
  std::array<int, 2> alive{};
  if (::pipe2(alive.data(), O_CLOEXEC) != 0) {
    base::throw_errno(errno, "make", "pipe");
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    base::throw_errno(errno, "start", "first process of the namespaces");
  }
  if (pid == 0) {
    ::close(alive[1]);
    run_first(alive[0], body);
  }
  ::close(alive[0]);
  [[maybe_unused]] const auto told = ::write(alive[1], "x", 1);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(alive[1]);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void mount_layers(const Layers& layers) {
  mount_or_throw("none", "/", nullptr, MS_REC | MS_PRIVATE, "");
  mount_base(layers);
  auto lowers = base::join(layers.lowers, ":");
  lowers += lowers.empty() ? "base" : ":base";
  // Where trusted.* attributes cannot be written, the overlay keeps its own in user.overlay.*.
  const auto* marks = in_user_namespace() ? ",userxattr" : "";
  if (layers.upper.empty()) {
    if (layers.lowers.empty()) {
      mount_or_throw("base", "root", nullptr, MS_BIND, "");
    } else {
      mount_or_throw("overlay", "root", "overlay", MS_RDONLY,
                     base::cat("lowerdir=", lowers, marks));
    }
    return;
  }
  make_directory(layers.upper);
  make_directory(layers.upper + "/upper");
  make_directory(layers.upper + "/work");
  // The merged root takes the upper directory's own mode and owner: those of an unpacked root.
  ::chmod((layers.upper + "/upper").c_str(), 0755);
  const auto options = base::cat("lowerdir=", lowers, ",upperdir=", layers.upper,
                                 "/upper,workdir=", layers.upper, "/work", marks);
  // A layer is thrown away after a crash anyway: no sync of it is worth waiting for.
  if (::mount("overlay", "root", "overlay", 0, (options + ",volatile").c_str()) == 0) {
    return;
  }
  if (::mount("overlay", "root", "overlay", 0, options.c_str()) != 0) {
    const int error = errno;
    std::array<char, PATH_MAX> here{};
    const char* path = ::getcwd(here.data(), here.size());
    Error failure(
        Errc::failed,
        base::cat("mount overlay in ", path != nullptr ? path : "scratch", ": ",
                  error == EINVAL ? "its file system cannot hold an overlay's upper layer "
                                    "(name another one with TMPDIR)"
                                  : "not possible"));
    throw failure.set_errno(error);
  }
}

void enter_root() {
  mount_devices();
  make_directory("root/proc");
  mount_or_throw("proc", "root/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  protect("root/proc/sys");
  protect("root/proc/sysrq-trigger");
  make_directory("root/sys");
  // Nothing that runs here depends on /sys; a container may forbid it.
  ::mount("sysfs", "root/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  make_directory("root/run");
  mount_or_throw("tmpfs", "root/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  make_directory("root/run/lock");
  if (::chdir("root") != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    base::throw_errno(errno, "change the root directory to", "the image");
  }
  drop_capabilities();
}

SuppliedFile::SuppliedFile(std::string path, const std::string& content, unsigned mode)
    : path_(std::move(path)) {
  const auto source = base::cat("/run/meph2-", base::split(path_, '/').back());
  write_text(source, content, mode);
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlink(path_.c_str(), target.data(), target.size() - 1);
  if (length > 0 && ::access(path_.c_str(), F_OK) != 0) {
    // A symlink to a place that a running system makes (/run/systemd/resolve/...): made now, on the
    // fresh /run; one that dangles elsewhere is left alone.
    const std::string to(target.data(), static_cast<std::size_t>(length));
    const auto run = to.find("run/");
    if (run != std::string::npos &&
        to.substr(0, run).find_first_not_of("./") == std::string::npos) {
      const auto there = "/" + to.substr(run);
      base::make_directories(base::parent_of(there));
      write_text(there, content, mode);
      return;
    }
  }

  struct stat status {};

  if (::stat(path_.c_str(), &status) != 0) {
    base::open_file(path_, O_WRONLY | O_CREAT, 0644).close();
    made_ = true;
  }
  mount_or_throw(source.c_str(), path_, nullptr, MS_BIND, "");
  bound_ = true;
}

SuppliedFile::~SuppliedFile() {
  if (bound_) {
    ::umount2(path_.c_str(), MNT_DETACH);
  }
  if (made_) {
    ::unlink(path_.c_str());
  }
}

}  // namespace meph2::image

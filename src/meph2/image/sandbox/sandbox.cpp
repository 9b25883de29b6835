#include "meph2/image/sandbox/sandbox.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

/// A directory of the image to mount on, made where there is none. A link would have the mount
/// elsewhere, and what is protected by it open.
base::File mount_point(const base::File& root, const std::string& name) {
  base::make_if_absent_at(root.fd(), name);
  return base::open_beneath(root.fd(), name, O_RDONLY | O_DIRECTORY);
}

/// Mounts on what a descriptor is of, whatever its names mean by now.
void mount_on(const base::File& target, const char* what, const char* type, unsigned long flags,
              const char* data) {
  if (::mount(what, base::cat("/proc/self/fd/", target.fd()).c_str(), type, flags, data) != 0) {
    base::throw_errno(errno, base::cat("mount ", type != nullptr ? type : what, " on"),
                      target.name());
  }
}

void mount_devices(const base::File& root) {
  mount_on(mount_point(root, "dev"), "tmpfs", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k");
  const auto dev = mount_point(root, "dev");
  for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    const auto target = base::open_file_at(dev.fd(), name, O_CREAT | O_WRONLY, 0666);
    mount_on(target, base::cat("/dev/", name).c_str(), nullptr, MS_BIND, nullptr);
  }
  mount_on(mount_point(dev, "pts"), "devpts", "devpts", MS_NOSUID | MS_NOEXEC,
           "newinstance,ptmxmode=0666,mode=0620");
  mount_on(mount_point(dev, "shm"), "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  for (const auto& [target, name] :
       {std::pair{"/proc/self/fd", "fd"}, std::pair{"/proc/self/fd/0", "stdin"},
        std::pair{"/proc/self/fd/1", "stdout"}, std::pair{"/proc/self/fd/2", "stderr"},
        std::pair{"pts/ptmx", "ptmx"}}) {
    if (::symlinkat(target, dev.fd(), name) != 0) {
      base::throw_errno(errno, "make symlink", name);
    }
  }
}

/// What the kernel shows and takes there for the whole machine, as containers usually have it. What
/// this kernel does not have needs no protection.
void protect_proc(const base::File& proc, const base::File& dev) {
  const auto path = [&proc](const char* name) {
    return base::cat("/proc/self/fd/", proc.fd(), "/", name);
  };
  for (const auto* name : {"sys", "sysrq-trigger", "irq", "bus", "fs"}) {
    if (base::exists_at(proc.fd(), name) &&
        (::mount(path(name).c_str(), path(name).c_str(), nullptr, MS_BIND, nullptr) != 0 ||
         ::mount(nullptr, path(name).c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) !=
             0)) {
      base::throw_errno(errno, "protect", base::cat("/proc/", name));
    }
  }
  const auto nothing = base::cat("/proc/self/fd/", dev.fd(), "/null");
  for (const auto* name : {"kcore", "keys", "key-users", "timer_list", "latency_stats"}) {
    if (base::exists_at(proc.fd(), name) &&
        ::mount(nothing.c_str(), path(name).c_str(), nullptr, MS_BIND, nullptr) != 0) {
      base::throw_errno(errno, "hide", base::cat("/proc/", name));
    }
  }
  for (const auto* name : {"acpi", "scsi"}) {
    if (base::exists_at(proc.fd(), name) &&
        ::mount("nothing", path(name).c_str(), "tmpfs", MS_RDONLY, "size=0") != 0) {
      base::throw_errno(errno, "hide", base::cat("/proc/", name));
    }
  }
}

/// Mounts one file over another, both by what they are. Returns the mount. (By number: glibc has
/// names for these calls from 2.36 on.)
base::UniqueFd bind_file(const base::File& source, const base::File& target) {
  constexpr unsigned clone_it = 1;           // OPEN_TREE_CLONE
  constexpr unsigned by_descriptors = 0x44;  // MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
  base::UniqueFd mount(static_cast<int>(
      ::syscall(SYS_open_tree, source.fd(), "", clone_it | O_CLOEXEC | AT_EMPTY_PATH)));
  if (!mount || ::syscall(SYS_move_mount, mount.get(), "", target.fd(), "", by_descriptors) != 0) {
    base::throw_errno(errno, "mount on", target.name());
  }
  return mount;
}

/// Where below /run a link of the image leads to, as a running system would have it there.
std::optional<std::string> place_in_run(std::string_view target) {
  const auto run = target.find("run/");
  if (run == target.npos || target.substr(0, run).find_first_not_of("./") != target.npos) {
    return std::nullopt;
  }
  return std::string(target.substr(run + 3));
}

}  // namespace

void enter_root() {
  const auto root = base::open_directory("root");
  mount_devices(root);
  mount_on(mount_point(root, "proc"), "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  protect_proc(mount_point(root, "proc"), mount_point(root, "dev"));
  mount_on(mount_point(root, "run"), "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  base::make_directory_at(mount_point(root, "run").fd(), "lock");
  if (::fchdir(root.fd()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    base::throw_errno(errno, "change the root directory to", "the image");
  }
}

SuppliedFile::SuppliedFile(const ImageRoot& root, std::string path, const std::string& content,
                           mode_t mode)
    : root_(root), path_(std::move(path)) {
  const ImageRoot run(base::open_directory("/run"));
  const auto link = root.link_target(path_);
  if (link && !root.exists(path_)) {
    if (const auto place = place_in_run(*link)) {
      run.write(*place, content, mode);
    }
    return;
  }
  if (!link && !root.exists(path_)) {
    root.write(path_, "", 0644);
    made_ = true;
  }
  const auto name = "/meph2-" + base::base_name(path_);
  run.write(name, content, mode);
  const auto source = run.open(name, content.size());
  const auto target = root.open(path_, UINT64_MAX);
  bound_ = bind_file(source, target);
}

SuppliedFile::~SuppliedFile() {
  if (bound_) {
    ::umount2(base::cat("/proc/self/fd/", bound_.get()).c_str(), MNT_DETACH);
  }
  if (made_) {
    try {
      root_.remove(path_);
    } catch (const base::Error&) {
      return;  // the image put something else in its way
    }
  }
}

}  // namespace meph2::image

#include "meph2/image/sandbox/layers.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "meph2/image/sandbox/namespaces.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr const char* unpacked_place = "unpacked";

void mount_or_throw(const std::string& what, const std::string& where, const char* type,
                    unsigned long flags, const std::string& data) {
  if (::mount(what.c_str(), where.c_str(), type, flags, data.c_str()) != 0) {
    base::throw_errno(errno, base::cat("mount ", type != nullptr ? type : what, " on"), where);
  }
}

/// An open file by a path that asks nobody for the directories above it.
std::string by_descriptor(int fd) {
  return base::cat("/proc/self/fd/", fd);
}

/// Number of device nodes in a squashfs.
std::size_t device_nodes(const base::File& squashfs) {
  base::Command command;
  command.argv = {"unsquashfs", "-lln", by_descriptor(squashfs.fd())};
  command.keep_fds = {squashfs.fd()};
  command.capture_output = true;
  command.capture_error = true;
  const auto lines = base::split(base::run_checked(command).output, '\n');
  return static_cast<std::size_t>(std::ranges::count_if(lines, [](const auto& line) {
    return line.starts_with("crw") || line.starts_with("brw") || line.starts_with("c-") ||
           line.starts_with("b-");
  }));
}

std::string mount_options(const Layers& layers) {
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
  return options;
}

/// Where a sandbox mounts, hidden by a file system of its own: whatever the host has there.
void enter_workshop() {
  for (const auto* place : {"/mnt", "/media", "/srv", "/tmp"}) {
    if (::mount("workshop", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1M") == 0) {
      if (::chdir(place) != 0) {
        base::throw_errno(errno, "enter", place);
      }
      for (const auto* name : {"base", "root"}) {
        base::make_directory_at(AT_FDCWD, name);
      }
      return;
    }
  }
  base::throw_errno(errno, "mount", "a place to work");
}

}  // namespace

void make_upper(const Layers& layers, const std::string& scratch) {
  const auto unpacked = base::cat(scratch, "/", unpacked_place);
  if (!has_fuse() && base::make_if_absent_at(AT_FDCWD, unpacked)) {
    give_to_image(unpacked);
  }
  if (layers.upper.empty()) {
    return;
  }
  const auto upper = base::cat(scratch, "/", layers.upper);
  for (const auto* name : {"", "/upper", "/work"}) {
    base::make_if_absent_at(AT_FDCWD, upper + name);
    // The merged root takes the upper directory's own mode and owner: those of an unpacked root.
    ::chmod((upper + name).c_str(), 0755);
    give_to_image(upper + name);
  }
}

void LayerMounts::prepare() {
  if (layers_.base_type == "squashfs") {
    return;
  }
  if (in_user_namespace()) {
    throw Error(Errc::refused,
                base::cat("mount ", layers_.base_file,
                          ": a disk image can be read by root only (without root, name a squashfs "
                          "or a root tar)"));
  }
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    base::throw_errno(errno, "make", "mount namespace");
  }
  base::make_if_absent_at(AT_FDCWD, "base");
  base::Command command;
  command.argv = {"mount",           "-t",  layers_.base_type, "-o", mount_options(layers_),
                  layers_.base_file, "base"};
  command.capture_error = true;
  base::with_context(base::cat("mount ", layers_.base_file),
                     [&command] { base::run_checked(command); });
  constexpr unsigned clone_it = 1;  // OPEN_TREE_CLONE
  mounted_ = base::UniqueFd(
      static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, "base", clone_it | O_CLOEXEC)));
  if (!mounted_) {
    base::throw_errno(errno, "take the mount of", layers_.base_file);
  }
}

void LayerMounts::map_ids(pid_t inside) const {
  if (!mounted_) {
    return;
  }
  const auto users = base::open_file(base::cat("/proc/", inside, "/ns/user"), O_RDONLY);

  struct {
    std::uint64_t set = 0x00100000;  // MOUNT_ATTR_IDMAP
    std::uint64_t clear = 0;
    std::uint64_t propagation = 0;
    std::uint64_t users;
  } attributes{.users = static_cast<std::uint64_t>(users.fd())};

  if (::syscall(SYS_mount_setattr, mounted_.get(), "", AT_EMPTY_PATH, &attributes,
                sizeof attributes) != 0) {
    base::throw_errno(errno, "map the ids of", layers_.base_file);
  }
}

void LayerMounts::open() {
  base_file_ = base::open_file(layers_.base_file, O_RDONLY);
  // Before the ids change: its owner may be root alone.
  fuse_ = has_fuse() ? base::UniqueFd(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) : base::UniqueFd();
  if (!fuse_ && !mounted_) {
    unpacked_ = base::open_directory(unpacked_place);
  }
  for (const auto& lower : layers_.lowers) {
    lowers_.push_back(base::open_directory(lower));
  }
  if (!layers_.upper.empty()) {
    upper_ = base::open_directory(layers_.upper);
  }
}

void LayerMounts::mount() {
  enter_workshop();
  if (mounted_) {
    constexpr unsigned by_descriptor = 4;  // MOVE_MOUNT_F_EMPTY_PATH
    if (::syscall(SYS_move_mount, mounted_.get(), "", AT_FDCWD, "base", by_descriptor) != 0) {
      base::throw_errno(errno, "mount", layers_.base_file);
    }
  } else if (fuse_) {
    mount_base();
  } else {
    mount_unpacked();
  }
  std::string lowers;
  for (const auto& lower : lowers_) {
    lowers += by_descriptor(lower.fd()) + ":";
  }
  lowers += "base";
  if (!upper_) {
    if (lowers_.empty()) {
      mount_or_throw("base", "root", nullptr, MS_BIND, "");
    } else {
      mount_or_throw("overlay", "root", "overlay", MS_RDONLY | MS_NODEV,
                     base::cat("lowerdir=", lowers, ",userxattr"));
    }
    return;
  }
  // The overlay keeps its marks in user.overlay.*: no other may be written here.
  const auto options = base::cat("lowerdir=", lowers, ",upperdir=", by_descriptor(upper_.fd()),
                                 "/upper,workdir=", by_descriptor(upper_.fd()), "/work,userxattr");
  // A layer is thrown away after a crash anyway: no sync of it is worth waiting for.
  if (::mount("overlay", "root", "overlay", MS_NODEV, (options + ",volatile").c_str()) == 0 ||
      ::mount("overlay", "root", "overlay", MS_NODEV, options.c_str()) == 0) {
    return;
  }
  const int error = errno;
  Error failure(Errc::failed,
                base::cat("mount overlay in ", upper_.name(), ": ",
                          error == EINVAL ? "its file system cannot hold an overlay's upper layer "
                                            "(name another one with TMPDIR)"
                                          : "not possible"));
  throw failure.set_errno(error);
}

/// We mount, as who opened /dev/fuse, and squashfuse_ll serves (which takes a tenth of the time of
/// a build less than the other program of its package).
void LayerMounts::mount_base() const {
  mount_or_throw("squashfuse", "base", "fuse", MS_RDONLY | MS_NOSUID | MS_NODEV,
                 base::cat("fd=", fuse_.get(), ",rootmode=40000,user_id=0,group_id=0,allow_other"));
  base::Command command;
  command.argv = {"squashfuse_ll", "-o", "ro", by_descriptor(base_file_.fd()),
                  base::cat("/dev/fd/", fuse_.get())};
  command.keep_fds = {fuse_.get(), base_file_.fd()};
  command.capture_error = true;
  base::with_context(base::cat("mount ", layers_.base_file),
                     [&command] { base::run_checked(command); });
}

/// Where FUSE may not be used: unpacked once, by the first stage of a build, for all of them.
void LayerMounts::mount_unpacked() const {
  if (layers_.devices && device_nodes(base_file_) > 0) {
    throw Error(Errc::refused,
                base::cat("unpack ", layers_.base_file,
                          ": its device nodes cannot be made in a sandbox, and the new root would "
                          "lack them (let the builder open /dev/fuse, and install the package "
                          "squashfuse)"));
  }
  if (!base::exists_at(unpacked_.fd(), "done")) {
    base::Command command;
    // Device nodes are the errors that it goes on after.
    command.argv = {"unsquashfs",
                    "-no-progress",
                    "-no-exit-code",
                    "-quiet",
                    "-d",
                    by_descriptor(unpacked_.fd()) + "/root",
                    "-force",
                    by_descriptor(base_file_.fd())};
    command.keep_fds = {unpacked_.fd(), base_file_.fd()};
    command.capture_output = true;
    command.capture_error = true;
    base::with_context(base::cat("unpack ", layers_.base_file),
                       [&command] { base::run_checked(command); });
    base::open_file_at(unpacked_.fd(), "done", O_WRONLY | O_CREAT, 0644).close();
  }
  mount_or_throw(by_descriptor(unpacked_.fd()) + "/root", "base", nullptr, MS_BIND, "");
}

}  // namespace meph2::image

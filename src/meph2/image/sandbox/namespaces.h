#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "meph2/image/sandbox/unprivileged.h"

namespace meph2::image {

/// Ids of our user namespace that are those of images: nobody of this machine has them, so what
/// runs in an image owns nothing outside of it. The range that /etc/subuid and /etc/subgid give
/// root, or the last one of those that systemd leaves to containers (UIDs and GIDs on systemd
/// systems). Where these are not mapped, as without root and in containers: all but root's.
struct ImageIds {
  SubordinateIds users;
  SubordinateIds groups;
};

ImageIds image_ids();

/// Makes root of the images the owner of a file or directory of ours.
void give_to_image(const std::string& path);

/// What is done in a sandbox, each by one thread.
struct SandboxWork {
  /// As we are, once there is a user namespace of that process and its ids are mapped: what only
  /// who is outside may do.
  std::function<void(pid_t inside)> outside;
  /// With the files that we may open still, and already in the namespaces: opens what mount()
  /// needs.
  std::function<void()> open;
  /// As root of the image's ids, which may open nothing of ours: mounts, by what was opened.
  std::function<void()> mount;
  /// Beside no other process but what it starts: its end is that of the sandbox.
  std::function<int()> run;
};

/// Does `work` in new user, mount, pid, ipc, uts and cgroup (and network, unless `network`)
/// namespaces, whose root is the first of image_ids(), and returns the exit status of run(). What
/// mount() starts lives as long. When this process ends, however it ends, so do all processes in
/// there, and with them every mount. Call it in a process with one thread.
int run_in_sandbox(bool network, const SandboxWork& work);

/// Leaves a process 0 to 2 and this one of its descriptors.
void close_all_but(int fd);

/// Ends all processes beside the calling one and the first of its namespace, and waits for them.
/// For run(): what is read afterwards changes no more.
void end_other_processes();

}  // namespace meph2::image

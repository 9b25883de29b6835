#include "base/fs/beneath.h"

#include <algorithm>
#include <cerrno>

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/strings.h"

namespace base {

const char* unsafe_path_reason(std::string_view path) {
  if (path.empty()) {
    return "path is empty";
  }
  if (path.size() > 4096) {
    return "path is longer than 4096 bytes";
  }
  if (path.front() == '/') {
    return "path is absolute";
  }
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return "path has a control character";
    }
    if (c == '\\') {
      return "path has a backslash";
    }
  }
  if (!valid_utf8(path)) {
    return "path is not UTF-8";
  }
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty()) {
      return "path has an empty component";
    }
    if (part == "." || part == ".." || part == "...") {
      return "path has a '.', '..' or '...' component";
    }
    if (part.size() > 255) {
      return "path has a component longer than 255 bytes";
    }
  }
  return nullptr;
}

void require_safe_path(std::string_view path) {
  if (const char* reason = unsafe_path_reason(path); reason != nullptr) {
    throw Error(Errc::untrusted, cat("'", path.substr(0, 200), "': ", reason));
  }
}

namespace {

int openat2_beneath(int root, const std::string& path, int flags, mode_t mode) {
  struct open_how how {};

  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags) | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return static_cast<int>(fd);
}

/// What was opened, once it is known to be a file or a directory.
File checked(UniqueFd opened, const char* action, const std::string& path) {
  File file(std::move(opened), path);
  const auto status = file.status();
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    throw Error(Errc::untrusted, cat(action, " ", path, ": not a regular file"));
  }
  const int current = ::fcntl(file.fd(), F_GETFL);
  ::fcntl(file.fd(), F_SETFL, current & ~O_NONBLOCK);
  return file;
}

[[noreturn]] void refuse_open(int error, const char* action, const std::string& path) {
  if (error == ELOOP) {
    throw Error(Errc::untrusted, cat(action, " ", path, ": a symbolic link is in the way"));
  }
  throw_errno(error, action, path);
}

}  // namespace

File open_beneath(int root, const std::string& path, int flags, mode_t mode) {
  if (path != ".") {
    require_safe_path(path);
  }
  const char* action = (flags & O_CREAT) != 0 ? "create" : "open";
  if ((flags & O_CREAT) != 0) {
    failpoint::pass("open", action, path);
  }
  UniqueFd fd(openat2_beneath(root, path, flags | O_NONBLOCK, mode));
  if (!fd) {
    refuse_open(errno, action, path);
  }
  return checked(std::move(fd), action, path);
}

File find_beneath(int root, const std::string& path, int flags) {
  require_safe_path(path);
  UniqueFd fd(openat2_beneath(root, path, flags | O_NONBLOCK, 0));
  if (!fd && errno == ENOENT) {
    return {};
  }
  if (!fd) {
    refuse_open(errno, "open", path);
  }
  return checked(std::move(fd), "open", path);
}

File open_parent_beneath(int root, const std::string& path, bool create) {
  require_safe_path(path);
  const auto parent = parent_of(path);
  try {
    return open_beneath(root, parent, O_RDONLY | O_DIRECTORY);
  } catch (const Error& error) {
    if (!create || error.sys_errno() != ENOENT) {
      throw;
    }
  }
  const auto above = open_parent_beneath(root, parent, true);
  if (make_if_absent_at(above.fd(), base_name(parent))) {
    sync_directory(above.fd(), parent);
  }
  return open_beneath(root, parent, O_RDONLY | O_DIRECTORY);
}

}  // namespace base

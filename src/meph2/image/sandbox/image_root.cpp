#include "meph2/image/sandbox/image_root.h"

#include <array>
#include <cerrno>
#include <climits>

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr const char* staged_name = ".meph2-new";

[[noreturn]] void refuse(int error, const std::string& path) {
  if (error == EXDEV || error == ELOOP) {
    throw Error(
        Errc::untrusted,
        base::cat("open ", path, " of the image: a link that leads out of it, or in circles"));
  }
  if (error == ENXIO || error == ENOTDIR) {
    throw Error(Errc::untrusted, base::cat("open ", path, " of the image: neither a regular file ",
                                           "nor in a directory"));
  }
  base::throw_errno(error, "open", path + " of the image");
}

bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

base::UniqueFd ImageRoot::try_open(const std::string& path, int flags) const {
  struct open_how how {};

  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags) | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, directory_.fd(), path.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return base::UniqueFd(static_cast<int>(fd));
}

base::File ImageRoot::open_regular(const std::string& path, int flags) const {
  auto fd = try_open(path, flags | O_NONBLOCK | O_NOCTTY);
  if (!fd) {
    refuse(errno, path);
  }
  base::File file(std::move(fd), path + " of the image");
  if (!S_ISREG(file.status().st_mode)) {
    throw Error(Errc::untrusted, base::cat("open ", file.name(), ": not a regular file"));
  }
  ::fcntl(file.fd(), F_SETFL, ::fcntl(file.fd(), F_GETFL) & ~O_NONBLOCK);
  return file;
}

bool ImageRoot::exists(const std::string& path) const {
  if (try_open(path, O_PATH)) {
    return true;
  }
  if (!is_absent(errno)) {
    refuse(errno, path);
  }
  return false;
}

bool ImageRoot::is_file(const std::string& path) const {
  const auto directory = base::parent_of(path);
  return exists(directory) &&
         base::is_file_at(open_directory(directory).fd(), base::base_name(path));
}

std::optional<std::string> ImageRoot::link_target(const std::string& path) const {
  const auto directory = base::parent_of(path);
  if (!exists(directory)) {
    return std::nullopt;
  }
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlinkat(open_directory(directory).fd(), base::base_name(path).c_str(),
                                   target.data(), target.size());
  if (length < 0) {
    return std::nullopt;
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

base::File ImageRoot::open(const std::string& path, std::uint64_t limit) const {
  auto file = open_regular(path, O_RDONLY);
  if (file.size() > limit) {
    throw Error(Errc::untrusted, base::cat("open ", file.name(), ": ", file.size(),
                                           " bytes, more than the ", limit, " that it may have"));
  }
  return file;
}

std::optional<std::string> ImageRoot::read(const std::string& path, std::uint64_t limit) const {
  if (!exists(path)) {
    return std::nullopt;
  }
  auto file = open(path, limit);
  return base::read_all(file, limit);
}

base::File ImageRoot::open_directory(const std::string& path) const {
  auto fd = try_open(path, O_RDONLY | O_DIRECTORY);
  if (!fd) {
    refuse(errno, path);
  }
  return {std::move(fd), path + " of the image"};
}

void ImageRoot::make_directories(const std::string& path) const {
  if (exists(path)) {
    open_directory(path);
    return;
  }
  make_directories(base::parent_of(path));
  const auto parent = open_directory(base::parent_of(path));
  if (!base::make_if_absent_at(parent.fd(), base::base_name(path))) {
    open_directory(path);
  }
}

void ImageRoot::write(const std::string& path, const std::string& text, mode_t mode) const {
  make_directories(base::parent_of(path));
  const auto parent = open_directory(base::parent_of(path));
  base::unlink_at(parent.fd(), staged_name);
  auto file = base::open_file_at(parent.fd(), staged_name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  file.write(text);
  file.chmod(mode);
  file.close();
  base::rename_at(parent.fd(), staged_name, parent.fd(), base::base_name(path));
}

void ImageRoot::rewrite(const std::string& path, const std::string& text) const {
  auto file = open_regular(path, O_WRONLY | O_NOFOLLOW);
  file.truncate(0);
  file.write(text);
  file.close();
}

std::vector<std::string> ImageRoot::list(const std::string& path) const {
  return exists(path) ? base::list_directory(open_directory(path).fd())
                      : std::vector<std::string>();
}

bool ImageRoot::remove(const std::string& path) const {
  const auto directory = base::parent_of(path);
  return exists(directory) &&
         base::unlink_at(open_directory(directory).fd(), base::base_name(path));
}

void ImageRoot::remove_tree(const std::string& path) const {
  const auto directory = base::parent_of(path);
  if (!exists(directory)) {
    return;
  }
  const auto parent = open_directory(directory);
  const auto name = base::base_name(path);
  const auto status = base::status_of(parent.fd(), name);
  if (status && !S_ISDIR(status->st_mode)) {
    base::unlink_at(parent.fd(), name);
  } else if (status) {
    base::remove_tree_at(parent.fd(), name);
  }
}

void ImageRoot::make_symlink(const std::string& target, const std::string& path) const {
  const auto parent = open_directory(base::parent_of(path));
  if (::symlinkat(target.c_str(), parent.fd(), base::base_name(path).c_str()) != 0) {
    base::throw_errno(errno, "make symlink", path + " of the image");
  }
}

}  // namespace meph2::image

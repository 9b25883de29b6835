#include "base/fs/tree.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/strings.h"

namespace base {

namespace {

using DirectoryStream = std::unique_ptr<DIR, int (*)(DIR*)>;

/// Calls `take` for each entry of a directory, which messages call `name`, "." and ".." included.
/// What it returns keeps the directory open.
template <typename Take>
DirectoryStream read_directory(UniqueFd opened, const std::string& name, const Take& take) {
  DirectoryStream stream(::fdopendir(opened.get()), ::closedir);
  if (!stream) {
    throw_errno(errno, "list", name);
  }
  const int dirfd = opened.release();
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    take(dirfd, *entry);
    errno = 0;
  }
  if (errno != 0) {
    throw_errno(errno, "list", name);
  }
  return stream;
}

}  // namespace

std::vector<std::string> list_directory(int dirfd) {
  UniqueFd copy(::openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) {
    throw_errno(errno, "list", "directory");
  }
  std::vector<std::string> names;
  read_directory(std::move(copy), "directory", [&](int, const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> list_directory(const std::string& path) {
  const auto directory = open_directory(path);
  return list_directory(directory.fd());
}

namespace {

/// A descriptor is open for each level: a tree that is deeper is nobody's that means well.
constexpr unsigned deepest_walk = 512;

void walk(int dirfd, const std::string& prefix, dev_t device, const Visit& visit,
          unsigned depth = 0) {
  if (depth > deepest_walk) {
    throw Error(Errc::untrusted, cat("walk ", prefix.substr(0, 100), "...: more than ",
                                     deepest_walk, " directories in each other"));
  }
  for (const auto& name : list_directory(dirfd)) {
    const auto status = status_of(dirfd, name);
    if (!status) {
      continue;  // removed since it was listed
    }
    const auto path = prefix.empty() ? name : cat(prefix, "/", name);
    const bool enter = visit(path, *status);
    if (enter && S_ISDIR(status->st_mode) && status->st_dev == device) {
      const auto below = open_directory_at(dirfd, name);
      walk(below.fd(), path, device, visit, depth + 1);
    }
  }
}

/// Removes a tree with a bounded number of descriptors: what lies deep in it is moved to its top,
/// and removed from there.
class TreeRemoval {
 public:
  TreeRemoval(int top, dev_t device) : top_(top), device_(device) {}

  void remove(const std::string& name) {
    moved_.push_back(name);
    while (!moved_.empty()) {
      const auto next = std::move(moved_.back());
      moved_.pop_back();
      remove_below(top_, next, 0);
    }
  }

 private:
  static constexpr unsigned deepest = 32;

  void remove_below(int dirfd, const std::string& name, unsigned depth) {
    const auto status = status_of(dirfd, name);
    if (!status) {
      return;
    }
    if (!S_ISDIR(status->st_mode)) {
      unlink_at(dirfd, name);
      return;
    }
    if (status->st_dev != device_) {
      throw Error(Errc::failed, cat("remove ", name, ": another file system is mounted there"));
    }
    if (depth > deepest) {
      move_up(dirfd, name);
      return;
    }
    {
      const auto below = open_directory_at(dirfd, name);
      for (const auto& entry : list_directory(below.fd())) {
        remove_below(below.fd(), entry, depth + 1);
      }
    }
    if (!remove_directory_at(dirfd, name) && exists_at(dirfd, name)) {
      throw_errno(ENOTEMPTY, "remove directory", name);
    }
  }

  void move_up(int dirfd, const std::string& name) {
    std::string there;
    do {
      there = cat(".removed-", moves_++);
    } while (!rename_noreplace_at(dirfd, name, top_, there));
    moved_.push_back(there);
  }

  int top_;
  dev_t device_;
  std::vector<std::string> moved_;
  unsigned moves_ = 0;
};

}  // namespace

void walk_tree(int root, const Visit& visit) {
  walk(root, "", status_of(root, ".")->st_dev, visit);
}

namespace {

EntryKind kind_of(int dirfd, const dirent& entry) {
  auto type = entry.d_type;
  if (type == DT_UNKNOWN) {  // some file systems do not say
    if (const auto status = status_of(dirfd, static_cast<const char*>(entry.d_name))) {
      type = static_cast<unsigned char>(IFTODT(status->st_mode));
    }
  }
  return type == DT_REG   ? EntryKind::file
         : type == DT_DIR ? EntryKind::directory
         : type == DT_LNK ? EntryKind::symlink
                          : EntryKind::other;
}

/// One directory of walk_entries(): files are visited as they are read, directories after them, so
/// that only one directory is open at a time for each level.
class EntryWalk {
 public:
  EntryWalk(dev_t device, const std::function<bool(const Entry&)>& visit)
      : device_(device), visit_(visit) {}

  void walk(File directory) {
    std::vector<std::string> below;
    const auto stream =
        read_directory(UniqueFd(directory.release()), path_,
                       [&](int dirfd, const dirent& entry) { meet(dirfd, entry, below); });
    for (const auto& name : below) {
      descend(::dirfd(stream.get()), name);
    }
  }

 private:
  void meet(int dirfd, const dirent& entry, std::vector<std::string>& below) {
    name_ = static_cast<const char*>(entry.d_name);
    failpoint::reads(name_);
    if (name_ == "." || name_ == "..") {
      return;
    }
    const auto kind = kind_of(dirfd, entry);
    const auto length = path_.size();
    path_ += (length == 0 ? "" : "/") + name_;
    if (visit_({path_, name_, dirfd, kind}) && kind == EntryKind::directory) {
      below.push_back(name_);
    }
    path_.resize(length);
  }

  void descend(int dirfd, const std::string& name) {
    File directory;
    try {
      directory = open_directory_at(dirfd, name);
    } catch (const Error& error) {
      if (error.sys_errno() == ENOENT || error.sys_errno() == ENOTDIR) {
        return;
      }
      throw;
    }
    if (directory.status().st_dev != device_) {
      return;
    }
    const auto length = path_.size();
    path_ += (length == 0 ? "" : "/") + name;
    walk(std::move(directory));
    path_.resize(length);
  }

  dev_t device_;
  const std::function<bool(const Entry&)>& visit_;
  std::string path_;
  std::string name_;
};

}  // namespace

void walk_entries(int root, const std::function<bool(const Entry& entry)>& visit) {
  auto directory = open_file_at(root, ".", O_RDONLY | O_DIRECTORY);
  EntryWalk(directory.status().st_dev, visit).walk(std::move(directory));
}

void remove_tree_at(int dirfd, const std::string& name) {
  const auto status = status_of(dirfd, name);
  if (!status) {
    return;
  }
  if (S_ISDIR(status->st_mode)) {
    const auto top = open_directory_at(dirfd, name);
    TreeRemoval removal(top.fd(), status->st_dev);
    for (const auto& entry : list_directory(top.fd())) {
      removal.remove(entry);
    }
    if (!remove_directory_at(dirfd, name) && exists_at(dirfd, name)) {
      throw_errno(ENOTEMPTY, "remove directory", name);
    }
  } else {
    unlink_at(dirfd, name);
  }
}

void remove_tree(const std::string& path) {
  remove_tree_at(AT_FDCWD, path);
}

namespace {

/// So much of a copy is made between two looks at a stop request.
constexpr std::uint64_t copy_piece = 16U << 20U;

void copy_range(File& from, File& to, std::uint64_t start, std::uint64_t end) {
  auto in = static_cast<loff_t>(start);
  auto out = static_cast<loff_t>(start);
  while (static_cast<std::uint64_t>(in) < end) {
    failpoint::pass("write", "write", to.name());
    const auto count =
        ::copy_file_range(from.fd(), &in, to.fd(), &out,
                          static_cast<std::size_t>(end) - static_cast<std::size_t>(in), 0);
    if (count == 0) {
      return;  // the source shrank; whoever asked checks size and digest
    }
    if (count < 0 &&
        (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
      std::string buffer(1U << 20U, '\0');
      to.seek(static_cast<std::uint64_t>(out));
      while (const auto got = from.read_at(
                 std::span(buffer).first(std::min<std::size_t>(
                     buffer.size(), static_cast<std::size_t>(end) - static_cast<std::size_t>(in))),
                 static_cast<std::uint64_t>(in))) {
        to.write(std::string_view(buffer).substr(0, got));
        in += static_cast<loff_t>(got);
      }
      return;
    }
    if (count < 0 && errno != EINTR) {
      throw_errno(errno, "write", to.name());
    }
  }
}

void copy_data(File& from, File& to, const std::stop_token& stop) {
  const auto size = from.size();
  std::uint64_t position = 0;
  while (position < size) {
    const auto data = ::lseek(from.fd(), static_cast<off_t>(position), SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
      break;  // a hole up to the end
    }
    const auto start = data < 0 ? position : static_cast<std::uint64_t>(data);
    const auto hole = data < 0 ? -1 : ::lseek(from.fd(), data, SEEK_HOLE);
    const auto end =
        std::min(hole < 0 ? size : static_cast<std::uint64_t>(hole), start + copy_piece);
    if (stop.stop_requested()) {
      throw Stopped();
    }
    copy_range(from, to, start, end);
    position = end;
  }
  to.truncate(size);
}

}  // namespace

CopyMethod clone_file(File& from, int to_dir, const std::string& to, bool allow_link,
                      const std::stop_token& stop) {
  auto out = open_file_at(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  auto method = CopyMethod::reflink;
  if (::ioctl(out.fd(), FICLONE, from.fd()) != 0) {
    method = CopyMethod::copy;
    if (allow_link) {
      const auto self = cat("/proc/self/fd/", from.fd());
      out.close();
      unlink_at(to_dir, to);
      if (::linkat(AT_FDCWD, self.c_str(), to_dir, to.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        return CopyMethod::hardlink;
      }
      out = open_file_at(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    }
    copy_data(from, out, stop);
  }
  out.chmod(0644);
  out.sync();
  out.close();
  return method;
}

namespace {

void copy_link(int from_dir, int to_dir, const std::string& name) {
  std::string target(4096, '\0');
  const auto length = ::readlinkat(from_dir, name.c_str(), target.data(), target.size());
  if (length < 0) {
    throw_errno(errno, "read link", name);
  }
  target.resize(static_cast<std::size_t>(length));
  if (::symlinkat(target.c_str(), to_dir, name.c_str()) != 0) {
    throw_errno(errno, "make link", name);
  }
}

}  // namespace

void copy_tree(int from_dir, int to_dir, const std::function<bool(const std::string& name)>& skip) {
  for (const auto& name : list_directory(from_dir)) {
    const auto status = skip(name) ? std::nullopt : status_of(from_dir, name);
    if (!status) {
      continue;
    }
    if (S_ISREG(status->st_mode)) {
      auto from = open_file_at(from_dir, name, O_RDONLY | O_NOFOLLOW);
      clone_file(from, to_dir, name, false);
    } else if (S_ISLNK(status->st_mode)) {
      copy_link(from_dir, to_dir, name);
    } else if (S_ISDIR(status->st_mode)) {
      make_directory_at(to_dir, name);
      const auto from = open_directory_at(from_dir, name);
      const auto to = open_directory_at(to_dir, name);
      copy_tree(from.fd(), to.fd(), [](const std::string&) { return false; });
      sync_directory(to.fd(), name);
    } else {
      throw Error(Errc::failed, cat("copy ", name, ": neither a file, a directory nor a link"));
    }
  }
}

}  // namespace base

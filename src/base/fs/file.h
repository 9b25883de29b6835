#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

namespace base {

/// Owns a file descriptor. Closing in the destructor ignores errors: data that matters is fsynced
/// and closed with File::close() before.
class UniqueFd {
 public:
  UniqueFd() = default;

  explicit UniqueFd(int fd) : fd_(fd) {}

  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}

  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();

  int get() const { return fd_; }

  explicit operator bool() const { return fd_ >= 0; }

  int release();
  void reset();

 private:
  int fd_ = -1;
};

/// An open file and the name that messages call it by. Every method throws Error naming both the
/// action and the file. All mutating calls pass a fail point.
class File {
 public:
  File() = default;

  File(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  int fd() const { return fd_.get(); }

  const std::string& name() const { return name_; }

  /// What messages call it, where the path it was opened by says too little.
  void set_name(std::string name) { name_ = std::move(name); }

  explicit operator bool() const { return static_cast<bool>(fd_); }

  /// Up to buffer.size() bytes; 0 at the end.
  std::size_t read(std::span<char> buffer);

  /// Reads from `offset` without moving the file position.
  std::size_t read_at(std::span<char> buffer, std::uint64_t offset) const;
  void write(std::string_view bytes);
  std::uint64_t size() const;
  struct stat status() const;
  void seek(std::uint64_t offset);
  void truncate(std::uint64_t size);
  void chmod(mode_t mode);
  /// Never retried after an error: the kernel may have dropped the data.
  void sync();
  /// Lets the kernel begin to write what it holds of the file, so that sync() finds less to do. A
  /// hint: nothing is waited for, and nothing is promised.
  void start_writeback() noexcept;
  /// Checked close. Idempotent.
  void close();

  /// Gives the descriptor away.
  int release() { return fd_.release(); }

 private:
  UniqueFd fd_;
  std::string name_;
};

/// openat with O_CLOEXEC; relative paths are below `dirfd`. O_CREAT passes a fail point.
File open_file(const std::string& path, int flags, mode_t mode = 0644);
File open_file_at(int dirfd, const std::string& path, int flags, mode_t mode = 0644);

/// A directory, to be used as dirfd; the second never through a link.
File open_directory(const std::string& path);
File open_directory_at(int dirfd, const std::string& name);

/// Another descriptor of the same open file, at its start: the two share their position.
File duplicate(const File& file);

/// The whole file. `limit`: more than so many bytes is Errc::untrusted.
std::string read_file(const std::string& path, std::uint64_t limit = UINT64_MAX);
std::string read_all(File& file, std::uint64_t limit = UINT64_MAX);

/// fsync of a directory.
void sync_directory(int dirfd, const std::string& name);

/// syncfs: everything written to the file system of `fd`, renames and removals included, is
/// durable.
void sync_filesystem(int fd, const std::string& name);

/// The absolute path, free of symlinks, of an open file or directory.
std::string real_path(int fd);

/// Whether two descriptors are of one file or directory.
bool same_file(int one, int other);

/// The mutating calls on directories, each a fail point, each throwing Error.
void make_directory_at(int dirfd, const std::string& path, mode_t mode = 0755);
/// false where something of that name is there already.
bool make_if_absent_at(int dirfd, const std::string& path, mode_t mode = 0755);
void rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to);

/// false when `to` exists already; never replaces. Falls back to linkat+unlinkat where the file
/// system lacks RENAME_NOREPLACE (regular files only).
bool rename_noreplace_at(int from_dir, const std::string& from, int to_dir, const std::string& to);

/// Swaps two names atomically; false when the file system cannot (EINVAL, ENOSYS).
bool exchange_at(int from_dir, const std::string& from, int to_dir, const std::string& to);

/// Removes a file; false if there was none.
bool unlink_at(int dirfd, const std::string& path);
/// Removes an empty directory; false if it is absent or not empty.
bool remove_directory_at(int dirfd, const std::string& path);

bool exists_at(int dirfd, const std::string& path);
/// lstat; nullopt if absent.
std::optional<struct stat> status_of(int dirfd, const std::string& path);
/// Whether a regular file is there; a link to one is none.
bool is_file_at(int dirfd, const std::string& path);

/// Bytes that an unprivileged writer may still use on the file system of `fd`.
std::uint64_t free_bytes(int fd);

/// mkdir -p for a path of the operator's own (not one that came from metadata).
void make_directories(const std::string& path);

}  // namespace base

#include "base/fs/atomic_file.h"

#include <atomic>

#include <unistd.h>

#include "base/fs/path.h"
#include "base/strings.h"

namespace base {

namespace {

std::string temporary_name(const std::string& name) {
  static std::atomic<unsigned> counter{0};
  return cat(".", name, ".", ::getpid(), ".", ++counter, ".tmp");
}

}  // namespace

bool is_temporary_name(std::string_view name) {
  return name.starts_with('.') && name.ends_with(".tmp");
}

AtomicFile::AtomicFile(int dirfd, std::string name, mode_t mode)
    : dirfd_(dirfd),
      name_(std::move(name)),
      temporary_(temporary_name(name_)),
      mode_(mode),
      file_(open_file_at(dirfd, temporary_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600)) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    ::unlinkat(dirfd_, temporary_.c_str(), 0);
  }
}

void AtomicFile::commit() {
  file_.chmod(mode_);
  file_.sync();
  file_.close();
  rename_at(dirfd_, temporary_, dirfd_, name_);
  temporary_.clear();
  sync_directory(dirfd_, name_);
}

void replace_file(int dirfd, const std::string& name, std::string_view content, mode_t mode) {
  AtomicFile out(dirfd, name, mode);
  out.file().write(content);
  out.commit();
}

void replace_file(const std::string& path, std::string_view content, mode_t mode) {
  const auto directory = open_directory(parent_of(path));
  replace_file(directory.fd(), base_name(path), content, mode);
}

}  // namespace base

#include "meph2/image/sandbox/workplace.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

constexpr const char* prefix = ".cloudimg2eph2-";
/// Of one that is not locked yet: nobody sweeps it while it may be somebody's who is about to.
constexpr const char* new_prefix = ".new-cloudimg2eph2-";
constexpr std::time_t abandoned_after = 24 * 60 * 60;

/// Whether a directory is one that we made: nobody else could put something into it, or a link in
/// its place.
bool is_ours(const base::File& directory) {
  const auto status = directory.status();
  return status.st_uid == ::geteuid() && (status.st_mode & 0077U) == 0;
}

bool is_abandoned(const base::File& directory) {
  return std::time(nullptr) - directory.status().st_mtime > abandoned_after;
}

/// Removes what killed builds left in a directory. Anybody may write there: in /tmp, say.
void sweep(const base::File& parent) {
  for (const auto& name : base::list_directory(parent.fd())) {
    const bool unlocked = name.starts_with(new_prefix);
    if (!unlocked && !name.starts_with(prefix)) {
      continue;
    }
    try {
      const auto left = base::open_directory_at(parent.fd(), name);
      if (!is_ours(left) || (unlocked && !is_abandoned(left))) {
        continue;
      }
      const base::FileLock mine(left.fd(), "lock", base::LockMode::exclusive,
                                std::chrono::seconds(0));
      base::remove_tree_at(parent.fd(), name);
    } catch (const base::Error&) {
      continue;  // somebody works there, or it is not ours to remove
    }
  }
}

}  // namespace

Workplace::Place Workplace::make_place(const std::string& parent) {
  base::make_directories(parent);
  const auto opened = base::open_directory(parent);
  // Absolute, because stages have a working directory of their own.
  const auto path = base::real_path(opened.fd());
  sweep(opened);
  base::TempDir made(new_prefix, path);
  const auto inside = base::open_directory(made.path());
  base::FileLock lock(inside.fd(), "lock", base::LockMode::exclusive, std::chrono::seconds(0));
  made.rename(base::cat(path, "/", prefix,
                        base::base_name(made.path()).substr(std::string_view(new_prefix).size())));
  return {std::move(made), std::move(lock)};
}

Workplace::Workplace(const std::string& output_directory) : stage_(make_place(output_directory)) {
  const char* other = std::getenv("TMPDIR");
  if (other != nullptr && *other != '\0') {
    scratch_.emplace(make_place(other));
  }
}

std::uint64_t Workplace::free_bytes() const {
  return std::min(base::free_bytes(base::open_directory(stage()).fd()),
                  base::free_bytes(base::open_directory(scratch()).fd()));
}

void Outputs::add(std::string staged, std::string path) {
  files_.emplace_back(std::move(staged), std::move(path));
}

std::vector<std::string> Outputs::publish() {
  for (const auto& [staged, path] : files_) {
    base::make_directories(base::parent_of(path));
    auto file = base::open_file(staged, O_RDONLY);
    file.chmod(0644);
    file.sync();
  }
  std::vector<std::string> out;
  for (const auto& [staged, path] : files_) {
    base::rename_at(AT_FDCWD, staged, AT_FDCWD, path);
    const auto directory = base::parent_of(path);
    base::sync_directory(base::open_directory(directory).fd(), directory);
    out.push_back(path);
  }
  return out;
}

}  // namespace meph2::image

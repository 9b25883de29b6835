#include "meph2/image/sandbox/workplace.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <sys/file.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

constexpr const char* prefix = ".cloudimg2eph2-";

/// Removes what killed builds left in `directory`.
void sweep(const std::string& directory) {
  for (const auto& name : base::list_directory(directory)) {
    if (!name.starts_with(prefix)) {
      continue;
    }
    const auto path = base::cat(directory, "/", name);
    try {
      const auto left = base::open_directory(path);
      const base::FileLock mine(left.fd(), "lock", base::LockMode::exclusive,
                                std::chrono::seconds(0));
      base::remove_tree(path);
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
  // One build at a time sweeps and makes its place, so that none is swept before it is locked.
  while (::flock(opened.fd(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      base::throw_errno(errno, "lock", path);
    }
  }
  sweep(path);
  base::TempDir made(prefix, path);
  const auto inside = base::open_directory(made.path());
  return {std::move(made),
          base::FileLock(inside.fd(), "lock", base::LockMode::exclusive, std::chrono::seconds(0))};
}

Workplace::Workplace(const std::string& output_directory) : stage_(make_place(output_directory)) {
  const char* other = std::getenv("TMPDIR");
  if (other != nullptr && *other != '\0') {
    scratch_.emplace(make_place(other));
  }
  for (const auto* name : {"base", "root"}) {
    base::make_directories(base::cat(scratch(), "/", name));
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

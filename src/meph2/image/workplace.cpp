#include "meph2/image/workplace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "base/error.h"
#include "base/file.h"
#include "base/strings.h"
#include "base/tree.h"

namespace meph2::image {

namespace {

constexpr const char* prefix = ".cloudimg2eph2-";

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : slash == 0 ? "/" : path.substr(0, slash);
}

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

/// Absolute, because stages have a working directory of their own.
std::string prepared(const std::string& directory) {
  base::make_directories(directory);
  std::array<char, PATH_MAX> real{};
  if (::realpath(directory.c_str(), real.data()) == nullptr) {
    base::throw_errno(errno, "resolve", directory);
  }
  sweep(real.data());
  return real.data();
}

base::FileLock lock_of(const std::string& directory) {
  const auto opened = base::open_directory(directory);
  return {opened.fd(), "lock", base::LockMode::exclusive, std::chrono::seconds(0)};
}

}  // namespace

Workplace::Workplace(const std::string& output_directory)
    : stage_(prefix, prepared(output_directory)), stage_lock_(lock_of(stage_.path())) {
  const char* other = std::getenv("TMPDIR");
  if (other != nullptr && *other != '\0') {
    scratch_.emplace(prefix, prepared(other));
    scratch_lock_ = lock_of(scratch_->path());
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
    base::make_directories(directory_of(path));
    auto file = base::open_file(staged, O_RDONLY);
    file.chmod(0644);
    file.sync();
  }
  std::vector<std::string> out;
  for (const auto& [staged, path] : files_) {
    base::rename_at(AT_FDCWD, staged, AT_FDCWD, path);
    const auto directory = directory_of(path);
    base::sync_directory(base::open_directory(directory).fd(), directory);
    out.push_back(path);
  }
  return out;
}

}  // namespace meph2::image

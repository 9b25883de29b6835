#include "meph2/supply/build_space.h"

#include <filesystem>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2 {

namespace {

const std::string lock_name = ".lock";

/// What processes that are no more left behind: nobody holds its lock. Called with build.lock held,
/// so that none is taken for abandoned between its making and its locking.
void remove_abandoned(const std::string& parent) {
  for (const auto& name : base::list_directory(parent)) {
    const auto path = base::cat(parent, "/", name);
    try {
      const auto directory = base::open_directory(path);
      const base::FileLock lock(directory.fd(), lock_name, base::LockMode::exclusive,
                                std::chrono::seconds(0));
      base::remove_tree(path);
    } catch (const base::Error&) {
      continue;  // in use, or not ours to remove: it harms nobody
    }
  }
}

}  // namespace

BuildSpace::BuildSpace(const std::string& repository, std::chrono::seconds lock_timeout,
                       const sstream::Context& context) {
  const sstream::Repository target(repository, sstream::Access::write, true);
  const auto parent =
      base::cat(std::filesystem::absolute(repository).string(), "/.data/.sstream/build");
  base::make_directories(parent);
  const base::FileLock making(target.private_dir(), "build.lock", base::LockMode::exclusive,
                              lock_timeout, sstream::waiting_for(repository, context));
  remove_abandoned(parent);
  directory_.emplace("", parent);
  const auto opened = base::open_directory(directory_->path());
  lock_ = base::FileLock(opened.fd(), lock_name, base::LockMode::exclusive, lock_timeout);
}

}  // namespace meph2

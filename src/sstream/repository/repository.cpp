#include "sstream/repository/repository.h"

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace sstream {

namespace {

constexpr unsigned state_version = 1;

/// mkdir unless it is there, then opens it. The operator's own links are followed.
base::File directory_at(int dirfd, const std::string& name, Access access) {
  if (!base::exists_at(dirfd, name)) {
    if (access == Access::read) {
      return {};
    }
    if (base::make_if_absent_at(dirfd, name)) {
      base::sync_directory(dirfd, name);
    }
  }
  return base::open_file_at(dirfd, name, O_RDONLY | O_DIRECTORY);
}

}  // namespace

Repository::Repository(const std::string& path, Access access, bool create) : path_(path) {
  if (create && !base::exists_at(AT_FDCWD, path)) {
    if (access == Access::read) {
      return;
    }
    base::make_directories(path);
  }
  root_ = base::open_directory(path);
  streams_ = directory_at(root(), "streams", access == Access::write ? access : Access::read);
  const auto data = directory_at(root(), ".data", access);
  if (data) {
    private_ = directory_at(data.fd(), ".sstream", access);
  }
  for (const auto& name : base::list_directory(root())) {
    const auto status = base::status_of(root(), name);
    if (name != "streams" && name != ".data" && status && S_ISLNK(status->st_mode)) {
      try {
        pools_.emplace(name, base::open_file_at(root(), name, O_RDONLY | O_DIRECTORY));
      } catch (const base::Error&) {
        continue;  // a link to a file, or to nothing: open_beneath refuses it when it is used
      }
    }
  }
}

base::File Repository::open_live() const {
  auto live = streams() < 0 ? base::File() : directory_at(streams(), "v1", Access::read);
  live.set_name(base::cat(path_, "/streams/v1"));
  return live;
}

base::File Repository::open_generations() const {
  if (private_dir() < 0 || !base::exists_at(private_dir(), "generations")) {
    return {};
  }
  return base::open_directory_at(private_dir(), "generations");
}

base::File Repository::open_kept(const std::string& name) const {
  base::File kept;
  const auto all = open_generations();
  if (all && base::exists_at(all.fd(), name)) {
    kept = base::open_beneath(all.fd(), name, O_RDONLY | O_DIRECTORY);
  }
  kept.set_name(base::cat(path_, "/.data/.sstream/generations/", name));
  return kept;
}

std::vector<std::string> Repository::kept_generations() const {
  const auto all = open_generations();
  return all ? base::list_directory(all.fd()) : std::vector<std::string>{};
}

Place Repository::place(const std::string& path) const {
  base::require_safe_path(path);
  const auto slash = path.find('/');
  const auto pool = pools_.find(path.substr(0, slash));
  if (slash == std::string::npos || pool == pools_.end()) {
    return {root(), path};
  }
  return {pool->second.fd(), path.substr(slash + 1)};
}

base::FileLock Repository::lock(const std::string& name, base::LockMode mode,
                                std::chrono::seconds timeout, const Context& context) const {
  return base::with_context(path_, [&] {
    return base::FileLock(private_dir(), name, mode, timeout, waiting_for(path_, context));
  });
}

base::FileLock Repository::lock_stage(base::LockMode mode, std::chrono::seconds timeout,
                                      const Context& context) const {
  return lock("stage.lock", mode, timeout, context);
}

base::FileLock Repository::lock_commit(std::chrono::seconds timeout, const Context& context) const {
  return lock("commit.lock", base::LockMode::exclusive, timeout, context);
}

RepositoryState Repository::read_state() const {
  RepositoryState state;
  if (private_dir() < 0 || !base::exists_at(private_dir(), "state.json")) {
    return state;
  }
  auto file = base::open_file_at(private_dir(), "state.json", O_RDONLY | O_NOFOLLOW);
  const auto json = io::read_json(file);
  if (json.value("version", 0U) > state_version) {
    throw base::Error(
        base::Errc::failed,
        base::cat(path_,
                  "/.data/.sstream/state.json: written by a newer version of this software"));
  }
  state.generation = json.value("generation", std::uint64_t{0});
  state.updated = json.value("updated", "");
  state.signer = json.value("signer", "");
  return state;
}

void Repository::write_state(const RepositoryState& state) const {
  const io::Json json = {{"version", state_version},
                         {"generation", state.generation},
                         {"updated", state.updated},
                         {"signer", state.signer}};
  base::replace_file(private_dir(), "state.json", io::to_text(json));
}

std::function<void(const std::string& holder)> waiting_for(const std::string& what,
                                                           const Context& context) {
  return [what, &context, told = false](const std::string& holder) mutable {
    if (!told) {
      told = true;
      context.log.info(base::cat("waiting for ", what, ", held by ", holder));
    }
    base::check_stop(context.stop);
  };
}

}  // namespace sstream

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "base/fs/file_lock.h"
#include "sstream/repository/context.h"

namespace sstream {

/// What a repository remembers between runs; `.data/.sstream/state.json`.
struct RepositoryState {
  std::uint64_t generation = 0;  ///< number of the last generation published
  std::string updated;           ///< the index's `updated` of that generation
  std::string signer;  ///< fingerprint of the key that signs this repository, empty: none yet
};

/// Where a data file of the repository is: a path below a directory descriptor.
struct Place {
  int dirfd = -1;
  std::string path;
};

enum class Access : std::uint8_t {
  read,   ///< changes nothing
  locks,  ///< makes only what the locks need: a pool of data files is no stream
  write,
};

/// A data directory on disk (docs/architecture.md, "A repository on disk"). Symbolic links at its
/// top (DIR itself, DIR/streams, DIR/data -> a pool) are resolved once, here; below them none is
/// followed.
class Repository {
 public:
  /// `locks` makes DIR/.data/.sstream; `write` makes all that is missing of the layout, and DIR
  /// itself when `create`; `read` changes nothing, and with `create` an absent DIR is an empty
  /// repository (root() is -1): what a dry run sees. Otherwise Error(not_found) when DIR is absent.
  Repository(const std::string& path, Access access, bool create = false);

  const std::string& path() const { return path_; }

  int root() const { return root_.fd(); }

  /// DIR/streams; -1 when absent (reading only).
  int streams() const { return streams_.fd(); }

  /// DIR/.data/.sstream; -1 when absent (reading only).
  int private_dir() const { return private_.fd(); }

  /// DIR/streams/v1, the live metadata; an empty File, with its name, when absent.
  base::File open_live() const;

  /// DIR/.data/.sstream/generations/NAME, metadata that was replaced; empty when it is not kept.
  base::File open_kept(const std::string& name) const;

  /// The names of the replaced generations that are kept, oldest first.
  std::vector<std::string> kept_generations() const;

  /// Resolves a data file's path (checked) past a link at the top of the repository.
  Place place(const std::string& path) const;

  /// Shared for everybody who adds files, exclusive for who deletes them.
  base::FileLock lock_stage(base::LockMode mode, std::chrono::seconds timeout,
                            const Context& context) const;
  /// Exclusive: the swap of the metadata.
  base::FileLock lock_commit(std::chrono::seconds timeout, const Context& context) const;

  /// Defaults when there is none; Error(failed) for one written by a newer version of this
  /// software.
  RepositoryState read_state() const;
  void write_state(const RepositoryState& state) const;

 private:
  base::FileLock lock(const std::string& name, base::LockMode mode, std::chrono::seconds timeout,
                      const Context& context) const;
  base::File open_generations() const;

  std::string path_;
  base::File root_;
  base::File streams_;
  base::File private_;
  std::map<std::string, base::File> pools_;
};

/// What a base::FileLock tells while it waits: logs once what it waits for and who holds it. A stop
/// request ends the wait (base::Stopped). The context has to outlive it.
std::function<void(const std::string& holder)> waiting_for(const std::string& what,
                                                           const Context& context);

}  // namespace sstream

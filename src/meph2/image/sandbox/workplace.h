#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fs/file_lock.h"
#include "base/fs/temp_dir.h"

namespace meph2::image {

/// The directories a build works in: `stage`, beside the outputs, for files that get renamed, and
/// `scratch` for layers ($TMPDIR, else the same place). What builds that were killed left in either
/// is removed first; a build that runs is known by its lock.
class Workplace {
 public:
  explicit Workplace(const std::string& output_directory);

  const std::string& stage() const { return stage_.directory.path(); }

  const std::string& scratch() const { return scratch_ ? scratch_->directory.path() : stage(); }

  /// Bytes that may still be written to the file systems of both.
  std::uint64_t free_bytes() const;

 private:
  /// A directory and the lock in it that says that somebody works there.
  struct Place {
    base::TempDir directory;
    base::FileLock lock;
  };

  static Place make_place(const std::string& parent);

  Place stage_;
  std::optional<Place> scratch_;
};

/// Files that wait to be given their names, all at once.
class Outputs {
 public:
  /// `staged` gets the name `path` at publish().
  void add(std::string staged, std::string path);

  /// Syncs and renames all, in the order of add(); returns the names.
  std::vector<std::string> publish();

 private:
  std::vector<std::pair<std::string, std::string>> files_;
};

}  // namespace meph2::image

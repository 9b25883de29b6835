#pragma once

#include <optional>
#include <string>

#include "base/fs/temp_dir.h"
#include "meph2/import/new_version.h"
#include "meph2/supply/build_space.h"
#include "sstream/repository/generation.h"

namespace meph2::import {

/// What an importer has around it while it makes new versions: the repository as it is now, and
/// room for files on the way into it.
class Workshop {
 public:
  Workshop(std::string repository, const sstream::PublishOptions& publish, bool force,
           const sstream::Context& context);

  const std::string& repository() const { return repository_; }

  bool dry_run() const { return dry_run_; }

  /// --force: what is published already is made again.
  bool force() const { return force_; }

  const sstream::Context& context() const { return context_; }

  /// The stream as it is live; nullptr where there is none. Read once.
  const sstream::ProductTree* live(const std::string& content_id);

  /// The newest version of a product that is live; empty where there is none.
  std::string newest_version(const std::string& content_id, const std::string& product);

  /// A path for a new file, below the repository's private directory (dry run: a temporary one).
  std::string new_path(const std::string& name);

  /// next_version() for a product whose versions have directories below `parent`: a path that was
  /// ever published, or that a crash left, is not used again.
  std::string next_version(const std::string& content_id, const std::string& product,
                           const std::string& parent, const std::string& first);

 private:
  std::string repository_;
  bool dry_run_;
  bool force_;
  std::chrono::seconds lock_timeout_;
  const sstream::Context& context_;
  std::map<std::string, std::optional<sstream::ProductTree>> live_;
  std::optional<BuildSpace> space_;
  std::optional<base::TempDir> temporary_;
  unsigned files_ = 0;
};

}  // namespace meph2::import

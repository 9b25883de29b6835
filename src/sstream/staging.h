#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sstream/checksums.h"
#include "sstream/repository.h"

namespace sstream {

/// A data file that a publication brings in.
struct NewFile {
  std::string path;  ///< in the repository
  Checksums expected;
  std::string origin;     ///< local path, or http(s) URL
  bool may_link = false;  ///< the local file may be hard-linked: nobody writes to it in place
  bool may_move = false;  ///< the local file is ours to take (a build's output)
};

/// What staging would do, or did.
struct StagedFiles {
  std::vector<NewFile> missing;  ///< to be brought in
  std::size_t reused = 0;        ///< there already, with the right content
  std::uint64_t bytes = 0;       ///< of the missing
};

/// Splits `files` into those that are in place (their content is verified) and the missing.
/// Error(conflict) naming both digests for a file with other content, and for two files on one
/// path; changes nothing.
StagedFiles find_missing(const Repository& repository, const std::vector<NewFile>& files,
                         const Context& context);

/// Error(failed) when the file system cannot hold `bytes` and a reserve besides.
void require_space(const Repository& repository, std::uint64_t bytes);

/// Brings the missing files in: each is downloaded or copied under .data/.sstream/txn/, fsynced,
/// verified against size and all digests, renamed to its name without replacing, and the
/// directories are fsynced. Nothing under a final name is ever partial. Interrupted downloads are
/// kept and resumed by the next run. Errors of single files are collected; the first is thrown,
/// with the number of the others.
void bring_in(const Repository& repository, const std::vector<NewFile>& missing,
              const Context& context);

/// Removes what crashed runs left under txn/ that no running process holds and that is older than
/// three days.
void remove_stale_staging(const Repository& repository, const base::Clock& clock);

}  // namespace sstream

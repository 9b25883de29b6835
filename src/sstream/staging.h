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

/// Reads a local origin whole, as bringing it in would. Error(not_found) where there is none,
/// Error(untrusted) for other content and for what is not a regular file.
void verify_origin(const NewFile& wanted);

/// Error(failed) when the file system cannot hold `bytes` and a reserve besides.
void require_space(const Repository& repository, std::uint64_t bytes);

/// Brings the missing files in: first all of them are downloaded or copied under
/// .data/.sstream/txn/, fsynced and verified against size and all digests; then each is renamed to
/// its name, without replacing, and the directories are fsynced. Nothing under a final name is ever
/// partial, and a file that cannot be had leaves all final names alone. Content that several paths
/// share is fetched once. What interrupted runs had fetched is taken over; what nobody took over
/// for three days is removed. Errors of single files are collected; the first is thrown.
void bring_in(const Repository& repository, const std::vector<NewFile>& missing,
              const Context& context);

}  // namespace sstream

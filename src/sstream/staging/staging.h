#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "sstream/format/checksums.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// A data file that a publication brings in.
struct NewFile {
  std::string path;  ///< in the repository
  Checksums expected;
  std::string origin;     ///< local path, or http(s) URL
  bool may_link = false;  ///< the local file may be hard-linked: nobody writes to it in place
  std::vector<std::string> mirrors = {};  ///< other URLs of the same content, tried in turn
  bool known = false;  ///< was verified when it came: of a file in place only the size is looked at
  bool replace = false;  ///< a file in place with other content is replaced, in one step
};

/// How a data file is found.
enum class Presence : std::uint8_t { absent, right, other };

/// Reads the file that is in place and verifies it (as `known` says). Error(conflict) for one with
/// other content that may not be replaced.
Presence presence_of(const Repository& repository, const NewFile& wanted);

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

/// A local origin, to be read. Error(not_found) where there is none, Error(untrusted) for what is
/// not a regular file.
base::File open_origin(const NewFile& wanted);

/// Reads a local origin whole, as bringing it in would. Error(not_found) where there is none,
/// Error(untrusted) for other content and for what is not a regular file.
void verify_origin(const NewFile& wanted);

/// Error(failed) when the file system cannot hold `bytes` and a reserve besides.
void require_space(const Repository& repository, std::uint64_t bytes);

/// Brings the missing files in: first all of them are downloaded or copied under
/// .data/.sstream/txn/, fsynced and verified against size and all digests; then each is renamed to
/// its name, without replacing (but see NewFile::replace), and the directories are fsynced. Nothing
/// under a final name is ever partial, and a file that cannot be had leaves all final names alone.
/// Content that several paths share is fetched once. What interrupted runs had fetched is taken
/// over; what nobody took over for three days is removed. Errors of single files are collected; the
/// first is thrown.
void bring_in(const Repository& repository, const std::vector<NewFile>& missing,
              const Context& context);

}  // namespace sstream

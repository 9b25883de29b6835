#pragma once

#include <cstddef>
#include <cstdint>

#include "base/fs/file.h"
#include "sstream/repository/context.h"
#include "sstream/repository/repository.h"
#include "sstream/staging/file_list.h"

namespace sstream {

/// How a data file is found.
enum class Presence : std::uint8_t { absent, right, other };

/// Reads the file that is in place and verifies it (as `known` says). Error(conflict) for one with
/// other content that may not be replaced.
Presence presence_of(const Repository& repository, const NewFile& wanted);

/// What find_missing() found.
struct StagedFiles {
  FileList missing;        ///< to be brought in; `replace`: in the place of other content
  std::size_t reused = 0;  ///< in place already, with the right content
};

/// Splits `files` into those that are in place (their content is verified; of `known` ones only the
/// size is looked at) and the missing. Error(conflict) naming both digests for a file with other
/// content that may not be replaced. Changes nothing.
StagedFiles find_missing(const Repository& repository, const FileList& files,
                         const Context& context);

/// A local origin, to be read. Error(not_found) where there is none, Error(untrusted) for what is
/// not a regular file.
base::File open_origin(const NewFile& wanted);

/// Reads a local origin whole, as bringing it in would. Error(not_found) where there is none,
/// Error(untrusted) for other content and for what is not a regular file.
void verify_origin(const NewFile& wanted);

/// Error(failed) when the file system cannot hold `bytes` and a reserve besides.
void require_space(const Repository& repository, std::uint64_t bytes);

/// Brings the missing files in, in batches, so that memory and open files stay bounded: each file
/// is downloaded or copied under .data/.sstream/txn/, fsynced and verified against size and all
/// digests; then it is renamed to its name, without replacing (but see NewFile::replace), and the
/// directory is fsynced. Nothing under a final name is ever partial.
/// With Naming::at_the_end names are given once all files are staged: a file that cannot be had
/// leaves all final names alone. With Naming::as_they_come each batch gets its names at once, and
/// keeps them when a later one fails: no metadata names them yet. Files that replace others come
/// last.
/// Content that several paths share is fetched once. What interrupted runs had fetched is taken
/// over; what nobody took over for three days is removed. A failure of single files does not keep
/// others from being fetched, unless nothing can be had; the first is thrown in the end.
void bring_in(const Repository& repository, const FileList& missing, const Context& context);

}  // namespace sstream

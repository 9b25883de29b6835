#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sstream/format/checksums.h"
#include "sstream/repository/repository.h"
#include "sstream/repository/signing.h"
#include "sstream/verify/hash_memory.h"

namespace sstream {

enum class ProblemKind : std::uint8_t {
  metadata,     ///< a document that cannot be read, or says something else than another one
  signature,    ///< a document that is not, or not well, signed
  missing,      ///< a data file that is not there
  damaged,      ///< a data file that is not what the metadata promises
  unreachable,  ///< a data file that its server did not answer for: nothing is known of it
};

const char* name_of(ProblemKind kind);

struct Problem {
  ProblemKind kind{};
  std::string object;  ///< name in streams/v1, or path of a data file
  std::string reason;
};

/// A data file that the metadata names, once, however many items name it.
struct DataFile {
  std::string path;
  Checksums expected;
};

/// What the metadata in one directory is found to be.
struct MetadataVerdict {
  std::vector<Problem> problems;
  std::vector<DataFile> files;  ///< sorted by path; of the documents that can be read
  std::size_t documents = 0;
  /// A document's signatures say nothing for it, or it cannot be read: nobody should believe what
  /// it says.
  bool untrusted = false;
};

/// Reads all metadata of one directory (streams/v1) and reports everything that is wrong with it,
/// not only the first thing: each document parses, the index lists what its documents say, each
/// document in all its encodings is the same and signed for `verifier` (null: signatures are not
/// looked at).
MetadataVerdict verify_metadata(int directory, const DocumentVerifier* verifier,
                                const Context& context);

/// How much of the data is read.
struct DataCheck {
  bool read = false;      ///< hash the files, not only look at their sizes
  bool paranoid = false;  ///< also those that were not touched since they were last found right
  std::optional<std::uint64_t> budget;  ///< about so many bytes, those longest unread first
  unsigned jobs = 1;
};

struct DataVerdict {
  std::vector<Problem> problems;  ///< sorted by path
  std::size_t read = 0;
  std::uint64_t bytes_read = 0;
  std::size_t untouched = 0;  ///< not read: the same file was found right before
  std::size_t left = 0;       ///< not read: beyond the budget
};

/// Compares data files with what is promised of them, `check.jobs` at a time. What is found right
/// is remembered in `verified`. A stop request is a Stopped; `verified` then has what was
/// done by then.
DataVerdict verify_data(const Repository& repository, const std::vector<DataFile>& files,
                        const DataCheck& check, VerifiedFiles& verified, const Context& context);

}  // namespace sstream

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sstream/janitor/orphans.h"
#include "sstream/repository/context.h"

namespace meph2 {

struct ReapOrphansOptions {
  std::string orphans;
  std::string data_d;
  std::vector<std::string> streams;  ///< as typed; empty: those that find_orphans recorded
  std::string keyring;               ///< empty: the one that find_orphans recorded, if any
  std::chrono::seconds older = std::chrono::hours(72);
  bool now = false;  ///< whatever the age
  std::chrono::seconds trash = std::chrono::hours(24);
  std::optional<std::uint64_t> max_files;
  std::optional<std::uint64_t> max_bytes;
  bool allow_empty = false;  ///< a stream that names no file is no error
  bool yes = false;          ///< also more than half of the bytes
  bool dry_run = false;
  std::chrono::seconds lock_timeout{60};
};

/// An entry of the list that did not go, and why.
struct KeptOrphan {
  std::string path;
  std::string reason;
};

struct ReapOrphansResult {
  std::vector<sstream::Orphan> reaped;  ///< moved to the trash, or would be
  std::uint64_t bytes = 0;              ///< of the reaped
  std::vector<KeptOrphan> named;        ///< a stream names them: no orphans any more
  std::vector<KeptOrphan> kept;         ///< named by a kept generation, or changed since recorded
  std::vector<KeptOrphan> rejected;     ///< entries that cannot be right, and files that did not go
  std::size_t young = 0;                ///< not old enough
  std::size_t gone = 0;                 ///< were not there any more
  std::size_t capped = 0;               ///< left for the next run by max_files or max_bytes
  std::size_t remaining = 0;            ///< entries that the list has now
  std::size_t directories = 0;          ///< that became empty and went
  std::size_t purged = 0;               ///< batches of the trash that were old enough

  bool incomplete() const { return !rejected.empty(); }
};

/// Moves recorded orphans that are old enough to DATA_D/.data/.sstream/trash, after looking again:
/// under the exclusive locks of data_d and of every stream that uses it, what a live or kept
/// generation or a hold names stays, and so does what changed since it was recorded. Nothing
/// outside of data_d, nothing that is no regular file, no directory but those that become empty,
/// and never data_d itself, is touched. Error(refused) when more than half of the bytes (and more
/// than 100 files) would go.
ReapOrphansResult reap_orphans(const ReapOrphansOptions& options, const sstream::Context& context);

}  // namespace meph2

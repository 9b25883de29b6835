#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sstream/repository/context.h"
#include "sstream/repository/history.h"
#include "sstream/repository/holds.h"

namespace meph2 {

struct StatusOptions {
  std::string target;                           ///< data directory
  std::optional<std::chrono::seconds> max_age;  ///< of the index; older is a problem
  bool orphans = true;                          ///< look for files that nothing names (a walk)
  std::chrono::seconds lock_timeout{60};
};

/// How a repository is, for a person and for monitoring. Ages are in seconds.
struct StatusResult {
  struct Product {
    std::string name;
    std::string newest;               ///< version; empty: it has none
    std::optional<std::int64_t> age;  ///< since the day that the version is named after
  };

  /// Names no file that a directory has: `files` and `bytes` of them.
  struct Count {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };

  std::optional<sstream::HistoryEntry> last;  ///< the last publication
  bool edited_since = false;                  ///< something else changed the metadata after it
  std::string updated;                        ///< of the index; empty: it has none
  std::optional<std::int64_t> index_age;
  std::vector<Product> products;         ///< oldest newest version first
  std::string signer;                    ///< fingerprint; empty: unsigned
  std::optional<std::int64_t> key_days;  ///< until the key expires; nullopt: it does not
  std::optional<Count> orphans;          ///< nullopt: not looked for
  Count staged;                          ///< downloads of runs that ended before they were done
  Count trash;                           ///< reaped, and not yet deleted
  bool interrupted = false;              ///< a publication died; the next one clears up
  std::vector<sstream::Hold> holds;      ///< active ones
  std::vector<std::string> problems;     ///< what somebody has to do something about
};

/// Looks, and changes nothing but the access times. Error(not_found) without a repository;
/// Error(untrusted) where its metadata cannot be read.
StatusResult status(const StatusOptions& options, const sstream::Context& context);

}  // namespace meph2

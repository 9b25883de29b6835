#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include <sys/stat.h>

#include "base/clock.h"
#include "sstream/format/checksums.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// When each data file was last hashed and found right: `.data/.sstream/verified`. An entry is a
/// fingerprint (XXH3) over what changes whenever anybody touches the file (inode, size, mtime,
/// ctime) and what the metadata promises of it, so a file that was written to, replaced or promised
/// otherwise is simply not in it. Only a cache: absent or damaged it is empty.
class VerifiedFiles {
 public:
  static VerifiedFiles load(const Repository& repository);

  /// The file with this status (from before it was read) was found right. Forgotten at once where
  /// the file was touched so recently that another touch might not show.
  void add(const struct stat& status, const Checksums& expected, base::Time now);

  /// When it was found right, nullopt: not since it was last touched. Keeps the entry, which save()
  /// would drop otherwise. May be called by several threads at once.
  std::optional<base::Time> keep(const struct stat& status, const Checksums& expected);

  /// What was neither added nor kept is dropped. Writes nothing where that changes nothing.
  void save(const Repository& repository) const;

 private:
  struct Entry {
    base::Time when;
    bool current = false;
  };

  std::unordered_map<std::uint64_t, Entry> entries_;
  bool changed_ = false;
};

}  // namespace sstream

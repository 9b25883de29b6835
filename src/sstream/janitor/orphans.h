#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/clock.h"

namespace sstream {

/// What a file looked like when it was recorded; any difference later means that somebody used it.
struct FileMark {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;

  static FileMark of(const struct stat& status);
  auto operator<=>(const FileMark&) const = default;
};

/// A file that no stream names.
struct Orphan {
  std::string path;                 ///< below the data directory
  std::optional<base::Time> since;  ///< first seen; nullopt: the file's date cannot be read
  std::string stamp;             ///< the date as the file has it, where we would write it otherwise
  std::optional<FileMark> mark;  ///< nullopt: not recorded (made by the established tools)
  base::Time last_seen{};
  std::uint64_t sightings = 0;
};

/// A stream that was looked at: its directory, and the documents if not all of them.
struct StreamSpec {
  std::string root;                    ///< absolute
  std::vector<std::string> documents;  ///< file names in streams/v1; empty: all

  bool operator==(const StreamSpec&) const = default;
};

/// The list of orphans between find-orphans and reap-orphans, in two files: ORPHANS, which the
/// established tools read and write (a JSON map from path to RFC 2822 date, which decides the age),
/// and ORPHANS.state with what they do not record: size, times and inode of each file, how often it
/// was seen, which streams were asked and by which keyring. Without the second, or for entries that
/// it lacks, these things are not known and not asked for.
class OrphanFile {
 public:
  std::vector<Orphan> orphans;      ///< by path
  std::vector<StreamSpec> streams;  ///< empty: not recorded
  std::string keyring;              ///< the streams had to be signed by it; empty: they had not
  std::string digest;               ///< sha256 of ORPHANS as it was read; empty: there was none

  /// Error(untrusted), which says how to begin anew, for a file that is no such map. An absent file
  /// gives an empty list, with an empty digest. What is wrong with the second file is as if it were
  /// not there.
  static OrphanFile load(const std::string& path);

  /// Replaces both files atomically, ORPHANS.state first, and keeps the previous ORPHANS as
  /// ORPHANS.bak. An unchanged ORPHANS is left alone.
  void save(const std::string& path) const;

  /// The text of ORPHANS, in pieces.
  void write_map(const std::function<void(std::string_view)>& sink) const;

  Orphan* find(const std::string& path);
};

}  // namespace sstream

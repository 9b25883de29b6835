#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "sstream/format/checksums.h"

namespace meph2::apt {

/// What a Release file says of a suite of an archive: its names, its time, and size and sha256 of
/// each index below dists/SUITE (the MD5 and SHA-1 sections are not looked at).
struct ReleaseFile {
  std::string suite;
  std::string codename;
  base::Time date;
  std::optional<base::Time> valid_until;
  bool by_hash = false;  ///< indexes are also at by-hash/SHA256/DIGEST, whatever becomes of them
  std::map<std::string, sstream::Checksums> files;  ///< by path below dists/SUITE

  /// nullptr where it is not listed.
  const sstream::Checksums* file(const std::string& path) const;
};

/// Reads the text that a verifier handed out. Error(untrusted) "NAME:LINE: reason" for what is no
/// Release file, for one without a date or a SHA256 section, for a path listed twice with different
/// content, and for unsafe paths.
ReleaseFile parse_release_file(std::string_view text, const std::string& name);

/// "Sat, 11 Jan 2025 09:52:30 UTC": the dates of Release files. nullopt for anything else.
std::optional<base::Time> parse_archive_date(std::string_view text);

/// Error(untrusted) for a file that has expired, that is dated more than a day ahead, or that is of
/// another suite: any of these may be an old or foreign one with a good signature.
void require_current(const ReleaseFile& release, const std::string& suite, base::Time now,
                     const std::string& name);

}  // namespace meph2::apt

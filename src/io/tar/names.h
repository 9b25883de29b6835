#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace io {

/// What an entry of an archive is, as far as other entries' paths care.
enum class EntryKind : std::uint8_t { directory, symlink, other };

/// "./a/b/" -> "a/b", "./" -> "". Throws Error(untrusted) for an absolute name, a ".." component, a
/// component over 255 bytes or a name over 4096. (Not base::unsafe_path_reason: file systems hold
/// backslashes and bytes that are not UTF-8.)
std::string normal_entry_name(std::string_view raw);

/// Remembers the names that an archive of a root file system held so far, and refuses what no such
/// archive needs and what a hostile one uses: a name that comes twice, and a name below a symlink
/// or another thing that is no directory. Holds 64-bit fingerprints instead of names, so that a
/// million entries fit in little memory; a collision could only refuse an archive, never let one
/// through.
class EntryNames {
 public:
  /// Throws Error(untrusted).
  void add(const std::string& name, EntryKind kind);

  /// A hard link's target: an entry that came before and is no directory.
  void require_link_target(const std::string& name, const std::string& target) const;

 private:
  void require_directories(const std::string& name);

  /// Nothing: a directory that no entry was yet, only the names of others.
  std::unordered_map<std::uint64_t, std::optional<EntryKind>> known_;
};

}  // namespace io

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fs/file.h"
#include "io/image/tree_node.h"

namespace io {

struct SquashfsFacts {
  std::uint64_t bytes_used = 0;
  std::uint32_t inodes = 0;
  std::uint32_t made = 0;  ///< seconds since 1970
  std::string compression;
};

/// Reads a squashfs without mounting it (libsquashfs). The constructor checks
/// the superblock, that the file is as long as it says, and the id and directory tables' places;
/// Error(untrusted) "read NAME: ..." otherwise.
class Squashfs {
 public:
  /// `file` must outlive this object.
  explicit Squashfs(base::File& file);
  Squashfs(const Squashfs&) = delete;
  Squashfs& operator=(const Squashfs&) = delete;
  ~Squashfs();

  const SquashfsFacts& facts() const;

  /// A regular file's content, following symlinks at the end of the path within the file system;
  /// nullopt if there is none. More than `limit` bytes, or damage, is Error(untrusted).
  std::optional<std::string> read(const std::string& path, std::uint64_t limit) const;

  /// Walks all directories: Error(untrusted) for damage, and for names that are ".", "..", hold a
  /// '/' or come twice in one directory (what CVE-2021-40153 and CVE-2021-41072 were made of).
  void check_names() const;

  /// Hands out a file's content from its start to its end, piece by piece: `take(offset, bytes)`.
  /// Holes that the squashfs knows are left out.
  using Content = std::function<void(
      const std::function<void(std::uint64_t offset, std::string_view bytes)>& take)>;

  /// Visits every node: a directory before what is in it, entries in the order of their names, hard
  /// links once for each name. `content` serves for regular files, and during the call only.
  /// Error(untrusted) as check_names(), and for damage.
  void walk(const std::function<void(const TreeNode& node, const Content& content)>& visit) const;

 private:
  struct State;
  struct Walk;
  std::unique_ptr<State> state_;
};

}  // namespace io

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/image/tree_node.h"

namespace io {

/// How much a file system has room for.
struct Ext4Room {
  std::uint64_t blocks = 0;  ///< of 4096 bytes
  std::uint64_t inodes = 0;
};

/// Fills an empty ext4 file system that is a plain file, without mounting it (libext2fs): whoever
/// may write the file may give its nodes any owner, device number and attribute. Failures are
/// Error(failed) "write NAME: ...". What is written counts only after close().
class Ext4Image {
 public:
  /// A node in it.
  using Inode = std::uint32_t;

  /// `path`: of a file system with blocks of 4096 bytes.
  explicit Ext4Image(const std::string& path);
  Ext4Image(const Ext4Image&) = delete;
  Ext4Image& operator=(const Ext4Image&) = delete;
  ~Ext4Image();

  /// What is free now.
  Ext4Room room() const;

  /// Makes the root directory what `node` says.
  void set_root(const TreeNode& node);

  static Inode root();

  /// Adds a node (regular files are empty yet, directories too) with all that `node` says of it. A
  /// directory that mke2fs made (lost+found) is taken over.
  Inode add(Inode parent, const std::string& name, const TreeNode& node);

  /// Another name for what is no directory.
  void link(Inode parent, const std::string& name, Inode existing);

  /// Writes a part of a regular file, from its start to its end, at a multiple of 4096 bytes.
  /// Blocks that are all zero become holes.
  void write(Inode file, std::uint64_t offset, std::string_view bytes);

  /// Ends a regular file: its size and its dates are those of `node`.
  void end_file(Inode file, const TreeNode& node);

  /// The dates of the file system itself and of the nodes that it has of its own (journal,
  /// lost+found), its UUID and the seed of its directory hashes (16 bytes each): nothing else in it
  /// depends on when and by whom it was made.
  void set_identity(std::string_view uuid, std::string_view hash_seed, std::uint32_t date);

  /// Writes everything out.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace io

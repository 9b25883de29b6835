#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>

#include "io/image/squashfs.h"

namespace io {

struct DestroySquashfsObject {
  void operator()(void* object) const { sqfs_destroy(object); }
};

struct FreeSquashfsMemory {
  void operator()(void* memory) const { sqfs_free(memory); }
};

template <typename T>
using SquashfsObject = std::unique_ptr<T, DestroySquashfsObject>;
template <typename T>
using SquashfsMemory = std::unique_ptr<T, FreeSquashfsMemory>;
using SquashfsInode = SquashfsMemory<sqfs_inode_generic_t>;

/// A squashfs that is open. What is wrong with it is Error(untrusted) "read NAME: ...".
struct Squashfs::State {
  /// An entry of a directory.
  struct Entry {
    std::string name;
    SquashfsInode inode;
  };

  base::File* input = nullptr;
  SquashfsFacts facts;
  sqfs_super_t super{};
  SquashfsObject<sqfs_file_t> file;
  SquashfsObject<sqfs_compressor_t> compressor;
  SquashfsObject<sqfs_dir_reader_t> directories;
  SquashfsObject<sqfs_data_reader_t> data;

  [[noreturn]] void fail(std::string_view what) const;

  /// Error for a code of the library that is not 0.
  void check(int code) const;

  void open(base::File& from);
  SquashfsInode root() const;
  SquashfsInode find(const std::string& path) const;
  std::string content(const sqfs_inode_generic_t& inode, std::uint64_t limit) const;

  /// Fills `into` with what a file holds from `offset` on.
  void read(const sqfs_inode_generic_t& inode, std::uint64_t offset, std::span<char> into) const;

  /// The entries of a directory, of those that are no directories only with `all`. Refuses hostile
  /// names.
  std::vector<Entry> list(const sqfs_inode_generic_t& inode, const std::string& path,
                          bool all) const;
};

/// S_IFDIR, S_IFREG and so on.
std::uint32_t type_of(const sqfs_inode_generic_t& inode);

}  // namespace io

#include "io/image/ext4_image.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include <sys/stat.h>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "base/error.h"
#include "base/strings.h"

namespace io {

namespace {

using base::Errc;
using base::Error;

constexpr std::size_t block_size = 4096;
constexpr unsigned most_links = 65000;  // EXT4_LINK_MAX of the kernel

int directory_type(std::uint32_t mode) {
  static const std::map<std::uint32_t, int> types = {
      {S_IFDIR, EXT2_FT_DIR},    {S_IFLNK, EXT2_FT_SYMLINK}, {S_IFBLK, EXT2_FT_BLKDEV},
      {S_IFCHR, EXT2_FT_CHRDEV}, {S_IFIFO, EXT2_FT_FIFO},    {S_IFSOCK, EXT2_FT_SOCK}};
  const auto found = types.find(mode & S_IFMT);
  return found != types.end() ? found->second : EXT2_FT_REG_FILE;
}

/// Inode fields are 16 bits wide where their type is not; a mask says that this is meant.
__u16 low_half(std::uint32_t value) {
  return static_cast<__u16>(value & 0xFFFFU);
}

/// Seconds after January 2038 need the epoch bits (Documentation/filesystems/ext4/inodes.rst).
__u32 epoch_bits(std::uint32_t date) {
  return date > 0x7FFFFFFFU ? 1U : 0U;
}

void set_dates(ext2_inode_large& inode, std::uint32_t date) {
  inode.i_atime = inode.i_ctime = inode.i_mtime = inode.i_crtime = date;
  inode.i_atime_extra = inode.i_ctime_extra = inode.i_mtime_extra = inode.i_crtime_extra =
      epoch_bits(date);
}

/// i_block of a device, as the kernel's old_encode_dev() and new_encode_dev() make it.
void set_device(ext2_inode_large& inode, const TreeNode& node) {
  if (node.major < 256 && node.minor < 256) {
    inode.i_block[0] = node.major << 8U | node.minor;
  } else {
    inode.i_block[1] =
        (node.minor & 0xFFU) | node.major << 8U | (node.minor & ~std::uint32_t{0xFF}) << 12U;
  }
}

bool is_zero(std::string_view bytes) {
  return bytes.front() == '\0' &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

ext2_inode* plain(ext2_inode_large& inode) {
  return reinterpret_cast<ext2_inode*>(&inode);  // NOLINT: the larger one begins with it
}

}  // namespace

struct Ext4Image::State {
  std::string name;
  ext2_filsys fs = nullptr;
  ext2_file_t file = nullptr;  ///< the one that is written
  Inode file_inode = 0;
  bool took_over_lost_and_found = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() {
    if (file != nullptr) {
      ext2fs_file_close(file);
    }
    if (fs != nullptr) {
      ext2fs_free(fs);
    }
  }

  void check(errcode_t code, std::string_view object = {}) const {
    if (code == 0) {
      return;
    }
    const std::string reason = code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL
                                   ? "the file system is full"
                                   : error_message(code);
    Error error(Errc::failed,
                base::cat("write ", name, object.empty() ? "" : ": /", object, ": ", reason));
    constexpr errcode_t most_errno = 4095;
    if (code <= most_errno) {
      error.set_errno(static_cast<int>(code));
    }
    throw error;
  }

  ext2_inode_large read(Inode number) const {
    ext2_inode_large inode{};
    check(ext2fs_read_inode_full(fs, number, plain(inode), sizeof inode));
    return inode;
  }

  void write(Inode number, ext2_inode_large& inode) const {
    check(ext2fs_write_inode_full(fs, number, plain(inode), sizeof inode));
  }

  void open(const std::string& path);

  /// Calls what enters a name in a directory, with more room where there is too little.
  template <typename Enter>
  void enter(Inode parent, std::string_view object, const Enter& into) const {
    auto code = into();
    if (code == EXT2_ET_DIR_NO_SPACE) {
      check(ext2fs_expand_dir(fs, parent), object);
      code = into();
    }
    check(code, object);
  }

  Inode new_inode(Inode parent, const TreeNode& node) const {
    Inode number = 0;
    check(ext2fs_new_inode(fs, parent, static_cast<int>(node.mode), nullptr, &number), node.path);
    return number;
  }

  Inode add_plain(Inode parent, const std::string& name, const TreeNode& node) const;
  void stamp(Inode number, const TreeNode& node) const;
  void set_attributes(Inode number, const TreeNode& node) const;
  void start_file(Inode number);
  void finish_file(std::uint64_t size);
};

void Ext4Image::State::open(const std::string& path) {
  static std::once_flag messages;
  std::call_once(messages, initialize_ext2_error_table);
  name = path;
  check(ext2fs_open2(path.c_str(), nullptr, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager,
                     &fs));
  fs->default_bitmap_type = EXT2FS_BMAP64_RBTREE;
  fs->now = 1;  // no date that is left as it is would be that of today
  check(ext2fs_read_bitmaps(fs));
  if (fs->blocksize != block_size) {
    throw Error(Errc::internal, base::cat("write ", name, ": its blocks are of ", fs->blocksize,
                                          " bytes, not ", block_size));
  }
}

/// Regular files, devices, pipes and sockets.
Ext4Image::Inode Ext4Image::State::add_plain(Inode parent, const std::string& name_in_parent,
                                             const TreeNode& node) const {
  const auto number = new_inode(parent, node);
  ext2_inode_large inode{};
  inode.i_mode = low_half(node.mode);
  inode.i_links_count = 1;
  inode.i_extra_isize = sizeof(ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
  if (S_ISREG(node.mode)) {
    ext2_extent_handle_t extents = nullptr;  // makes the empty tree of extents
    check(ext2fs_extent_open2(fs, number, plain(inode), &extents), node.path);
    ext2fs_extent_free(extents);
  } else if (S_ISBLK(node.mode) || S_ISCHR(node.mode)) {
    set_device(inode, node);
  }
  write(number, inode);
  enter(parent, node.path, [&] {
    return ext2fs_link(fs, parent, name_in_parent.c_str(), number, directory_type(node.mode));
  });
  ext2fs_inode_alloc_stats2(fs, number, +1, 0);
  return number;
}

void Ext4Image::State::stamp(Inode number, const TreeNode& node) const {
  auto inode = read(number);
  inode.i_mode = low_half(node.mode);
  inode.i_uid = low_half(node.uid);
  inode.i_gid = low_half(node.gid);
  inode.osd2.linux2.l_i_uid_high = low_half(node.uid >> 16U);
  inode.osd2.linux2.l_i_gid_high = low_half(node.gid >> 16U);
  set_dates(inode, node.mtime);
  write(number, inode);
}

void Ext4Image::State::set_attributes(Inode number, const TreeNode& node) const {
  if (node.attributes.empty()) {
    return;
  }
  ext2_xattr_handle* handle = nullptr;
  check(ext2fs_xattrs_open(fs, number, &handle), node.path);
  auto code = ext2fs_xattrs_read(handle);
  for (const auto& [key, value] : node.attributes) {
    if (code == 0) {
      code = ext2fs_xattr_set(handle, key.c_str(), value.data(), value.size());
    }
  }
  const auto closed = ext2fs_xattrs_close(&handle);
  check(code == 0 ? closed : code, base::cat(node.path, ": extended attributes"));
}

void Ext4Image::State::start_file(Inode number) {
  if (file != nullptr && file_inode == number) {
    return;
  }
  if (file != nullptr) {
    throw Error(Errc::internal, base::cat("write ", name, ": two files at once"));
  }
  check(ext2fs_file_open(fs, number, EXT2_FILE_WRITE, &file));
  file_inode = number;
}

void Ext4Image::State::finish_file(std::uint64_t size) {
  check(ext2fs_file_set_size2(file, static_cast<ext2_off64_t>(size)));
  auto* const closing = file;
  file = nullptr;
  check(ext2fs_file_close(closing));
}

Ext4Image::Ext4Image(const std::string& path) : state_(std::make_unique<State>()) {
  state_->open(path);
}

Ext4Image::~Ext4Image() = default;

Ext4Room Ext4Image::room() const {
  return {ext2fs_free_blocks_count(state_->fs->super), state_->fs->super->s_free_inodes_count};
}

Ext4Image::Inode Ext4Image::root() {
  return EXT2_ROOT_INO;
}

void Ext4Image::set_root(const TreeNode& node) {
  state_->stamp(root(), node);
  state_->set_attributes(root(), node);
}

Ext4Image::Inode Ext4Image::add(Inode parent, const std::string& name, const TreeNode& node) {
  Inode number = 0;
  if (S_ISDIR(node.mode)) {
    const bool there =
        parent == root() && ext2fs_lookup(state_->fs, parent, name.c_str(),
                                          static_cast<int>(name.size()), nullptr, &number) == 0;
    if (there) {
      state_->took_over_lost_and_found = number == EXT2_GOOD_OLD_FIRST_INO;
    } else {
      number = state_->new_inode(parent, node);
      state_->enter(parent, node.path,
                    [&] { return ext2fs_mkdir(state_->fs, parent, number, name.c_str()); });
    }
  } else if (S_ISLNK(node.mode)) {
    number = state_->new_inode(parent, node);
    state_->enter(parent, node.path, [&] {
      return ext2fs_symlink(state_->fs, parent, number, name.c_str(), node.target.c_str());
    });
  } else {
    number = state_->add_plain(parent, name, node);
  }
  state_->stamp(number, node);
  state_->set_attributes(number, node);
  return number;
}

void Ext4Image::link(Inode parent, const std::string& name, Inode existing) {
  auto inode = state_->read(existing);
  if (inode.i_links_count >= most_links) {
    throw Error(Errc::failed, base::cat("write ", state_->name, ": ", name, ": more than ",
                                        most_links, " hard links of one file"));
  }
  ++inode.i_links_count;
  state_->write(existing, inode);
  state_->enter(parent, name, [&] {
    return ext2fs_link(state_->fs, parent, name.c_str(), existing, directory_type(inode.i_mode));
  });
}

void Ext4Image::write(Inode file, std::uint64_t offset, std::string_view bytes) {
  state_->start_file(file);
  std::size_t done = 0;
  while (done < bytes.size()) {
    // As much as there is without a block of zeros, in one piece.
    auto end = done;
    while (end < bytes.size() && !is_zero(bytes.substr(end, block_size))) {
      end = std::min(bytes.size(), end + block_size);
    }
    if (end > done) {
      state_->check(ext2fs_file_llseek(state_->file, offset + done, EXT2_SEEK_SET, nullptr));
      unsigned written = 0;
      const auto length = static_cast<unsigned>(end - done);
      state_->check(ext2fs_file_write(state_->file, bytes.data() + done, length, &written));
      if (written != length) {
        throw Error(Errc::failed, base::cat("write ", state_->name, ": short write"));
      }
      done = end;
    } else {
      done = std::min(bytes.size(), done + block_size);
    }
  }
}

void Ext4Image::end_file(Inode file, const TreeNode& node) {
  if (node.size == 0) {
    return;
  }
  const auto name = [&] { return base::cat("/", node.path); };
  base::with_context(name, [&] {
    state_->start_file(file);
    state_->finish_file(node.size);
  });
  state_->stamp(file, node);
}

void Ext4Image::set_identity(std::string_view uuid, std::string_view hash_seed,
                             std::uint32_t date) {
  auto& super = *state_->fs->super;
  if (uuid.size() != sizeof super.s_uuid || hash_seed.size() != sizeof super.s_hash_seed) {
    throw Error(Errc::internal, "identity of a file system: 16 bytes each");
  }
  std::memcpy(&super.s_uuid, uuid.data(), sizeof super.s_uuid);
  std::memcpy(&super.s_hash_seed, hash_seed.data(), sizeof super.s_hash_seed);
  super.s_mkfs_time = super.s_lastcheck = super.s_wtime = date;
  super.s_mtime = 0;
  super.s_kbytes_written = 0;
  super.s_checkinterval = 0;
  super.s_max_mnt_count = -1;
  // What mke2fs takes from the machine that it runs on.
  super.s_flags = EXT2_FLAGS_SIGNED_HASH;
  super.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
  state_->fs->now = date == 0 ? 1 : date;
  for (Inode number = 1; number <= EXT2_GOOD_OLD_FIRST_INO; ++number) {
    auto inode = state_->read(number);
    const bool lost_and_found = number == EXT2_GOOD_OLD_FIRST_INO;
    const bool dated = inode.i_mtime != 0 || inode.i_ctime != 0 || inode.i_crtime != 0;
    if (number != root() && dated && !(lost_and_found && state_->took_over_lost_and_found)) {
      set_dates(inode, date);
      state_->write(number, inode);
    }
  }
  ext2fs_mark_super_dirty(state_->fs);
}

void Ext4Image::close() {
  auto* const closing = state_->fs;
  state_->fs = nullptr;
  const auto code = ext2fs_close2(closing, 0);
  if (code != 0) {
    ext2fs_free(closing);
    state_->check(code);
  }
}

}  // namespace io

#include <algorithm>
#include <unordered_set>

#include <sys/stat.h>

#include <sqfs/id_table.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>

#include "base/error.h"
#include "base/strings.h"
#include "io/image/squashfs_state.h"

namespace io {

namespace {

constexpr sqfs_u32 no_attributes = 0xFFFFFFFF;

/// The blocks of a file as the inode lists them: 0 is a hole (squashfs 4.0, file inodes).
bool is_hole(const sqfs_inode_generic_t& inode, std::size_t block) {
  return block < sqfs_inode_get_file_block_count(&inode) &&
         inode.extra[block] == 0;  // NOLINT: the C layout
}

}  // namespace

/// Owners and attributes are kept in tables of their own, which are read once.
struct Squashfs::Walk {
  const State& state;
  const std::function<void(const TreeNode&, const Content&)>& visit;
  SquashfsObject<sqfs_id_table_t> owners{sqfs_id_table_create(0)};
  SquashfsObject<sqfs_xattr_reader_t> attributes{sqfs_xattr_reader_create(0)};
  std::unordered_set<sqfs_u32> seen_directories{};

  void load_tables() const {
    if (!owners || !attributes) {
      state.fail("out of memory");
    }
    state.check(
        sqfs_id_table_read(owners.get(), state.file.get(), &state.super, state.compressor.get()));
    if ((state.super.flags & SQFS_FLAG_NO_XATTRS) == 0) {
      state.check(sqfs_xattr_reader_load(attributes.get(), &state.super, state.file.get(),
                                         state.compressor.get()));
    }
  }

  std::uint32_t owner(sqfs_u16 index) const {
    sqfs_u32 id = 0;
    state.check(sqfs_id_table_index_to_id(owners.get(), index, &id));
    return id;
  }

  void read_attributes(const sqfs_inode_generic_t& inode, TreeNode& node) const {
    sqfs_u32 index = no_attributes;
    state.check(sqfs_inode_get_xattr_index(&inode, &index));
    if (index == no_attributes || (state.super.flags & SQFS_FLAG_NO_XATTRS) != 0) {
      return;
    }
    sqfs_xattr_id_t place{};
    state.check(sqfs_xattr_reader_get_desc(attributes.get(), index, &place));
    state.check(sqfs_xattr_reader_seek_kv(attributes.get(), &place));
    for (sqfs_u32 i = 0; i < place.count; ++i) {
      sqfs_xattr_entry_t* key = nullptr;
      state.check(sqfs_xattr_reader_read_key(attributes.get(), &key));
      const SquashfsMemory<sqfs_xattr_entry_t> key_memory(key);
      sqfs_xattr_value_t* value = nullptr;
      state.check(sqfs_xattr_reader_read_value(attributes.get(), key, &value));
      const SquashfsMemory<sqfs_xattr_value_t> value_memory(value);
      node.attributes.emplace_back(
          reinterpret_cast<const char*>(key->key),  // NOLINT: the C layout
          std::string(reinterpret_cast<const char*>(value->value), value->size));  // NOLINT
    }
    std::sort(node.attributes.begin(), node.attributes.end());
  }

  void read_file(const sqfs_inode_generic_t& inode, TreeNode& node) const {
    sqfs_u64 size = 0;
    state.check(sqfs_inode_get_file_size(&inode, &size));
    node.size = size;
    for (std::size_t i = 0; i < sqfs_inode_get_file_block_count(&inode); ++i) {
      if (is_hole(inode, i)) {
        const auto start = std::uint64_t{i} * state.super.block_size;
        node.holes += std::min<std::uint64_t>(state.super.block_size, size - std::min(size, start));
      }
    }
  }

  void read_special(const sqfs_inode_generic_t& inode, TreeNode& node) const {
    if (S_ISLNK(node.mode)) {
      node.target.assign(reinterpret_cast<const char*>(inode.extra),  // NOLINT: the C layout
                         inode.data.slink.target_size);
    } else if (S_ISBLK(node.mode) || S_ISCHR(node.mode)) {
      const auto device = inode.data.dev.devno;  // as the kernel's new_encode_dev() makes it
      node.major = (device >> 8U) & 0xFFFU;
      node.minor = (device & 0xFFU) | ((device >> 12U) & 0xFFF00U);
    }
  }

  TreeNode node_of(const std::string& path, const sqfs_inode_generic_t& inode) const {
    TreeNode node;
    node.path = path;
    node.mode = type_of(inode) | (inode.base.mode & 07777U);
    node.uid = owner(inode.base.uid_idx);
    node.gid = owner(inode.base.gid_idx);
    node.mtime = inode.base.mod_time;
    node.number = inode.base.inode_number;
    if (S_ISREG(node.mode)) {
      read_file(inode, node);
    } else {
      read_special(inode, node);
    }
    read_attributes(inode, node);
    return node;
  }

  void hand_out(const sqfs_inode_generic_t& inode, std::uint64_t size,
                const std::function<void(std::uint64_t, std::string_view)>& take) const {
    const auto block_size = state.super.block_size;
    std::string buffer(block_size, '\0');
    for (std::uint64_t offset = 0; offset < size; offset += block_size) {
      if (is_hole(inode, static_cast<std::size_t>(offset / block_size))) {
        continue;
      }
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(block_size, size - offset));
      state.read(inode, offset, std::span(buffer).first(want));
      take(offset, std::string_view(buffer).substr(0, want));
    }
  }

  void visit_node(const std::string& path, const sqfs_inode_generic_t& inode) const {
    const auto node = node_of(path, inode);
    visit(node, [&](const std::function<void(std::uint64_t, std::string_view)>& take) {
      if (S_ISREG(node.mode)) {
        hand_out(inode, node.size, take);
      }
    });
  }

  /// Not by recursion: how deep a tree goes is its author's choice.
  void run() {
    load_tables();
    std::vector<State::Entry> pending;
    pending.push_back({"", state.root()});
    while (!pending.empty()) {
      const auto [path, inode] = std::move(pending.back());
      pending.pop_back();
      visit_node(path, *inode);
      if (type_of(*inode) != S_IFDIR) {
        continue;
      }
      if (!seen_directories.insert(inode->base.inode_number).second) {
        state.fail(base::cat("damaged squashfs: directory /", path, " is in two places"));
      }
      auto entries = state.list(*inode, path, true);
      std::reverse(entries.begin(), entries.end());
      for (auto& [name, below] : entries) {
        pending.push_back({path.empty() ? name : base::cat(path, "/", name), std::move(below)});
      }
    }
  }
};

void Squashfs::walk(
    const std::function<void(const TreeNode& node, const Content& content)>& visit) const {
  Walk{*state_, visit}.run();
}

}  // namespace io

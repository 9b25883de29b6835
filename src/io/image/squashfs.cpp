#include "io/image/squashfs.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <sqfs/error.h>

#include "base/error.h"
#include "base/strings.h"
#include "io/image/squashfs_state.h"

namespace io {

namespace {

using base::Errc;
using base::Error;

constexpr int most_hops = 8;
constexpr std::size_t read_size = 1U << 20U;  // the largest block

const char* reason_of(int code) {
  switch (code) {
    case SQFS_ERROR_ALLOC:
      return "out of memory";
    case SQFS_ERROR_IO:
      return "read error";
    case SQFS_ERROR_COMPRESSOR:
      return "a block cannot be decompressed";
    case SQFS_ERROR_UNSUPPORTED:
      return "uses a feature that is not supported";
    case SQFS_ERROR_OUT_OF_BOUNDS:
      return "truncated or damaged: a table lies outside of the file";
    default:
      return "damaged squashfs";
  }
}

std::string resolve(const std::string& link, const std::string& target) {
  std::vector<std::string> parts;
  if (!target.starts_with("/")) {
    parts = base::split_list(link, '/');
    parts.pop_back();
  }
  for (const auto& part : base::split_list(target, '/')) {
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (part != "." && part != "..") {
      parts.push_back(part);
    }
  }
  return base::join(parts, "/");
}

}  // namespace

std::uint32_t type_of(const sqfs_inode_generic_t& inode) {
  constexpr std::array types = {S_IFDIR, S_IFREG, S_IFLNK, S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK};
  // The extended types follow the basic ones, in the same order; libsquashfs reads no others.
  static_assert(SQFS_INODE_DIR == 1 && SQFS_INODE_EXT_DIR == 1 + types.size());
  return static_cast<std::uint32_t>(types.at((inode.base.type - 1U) % types.size()));
}

void Squashfs::State::fail(std::string_view what) const {
  throw Error(Errc::untrusted, base::cat("read ", input->name(), ": ", what));
}

void Squashfs::State::check(int code) const {
  if (code != 0) {
    fail(reason_of(code));
  }
}

void Squashfs::State::open(base::File& from) {
  input = &from;
  file.reset(
      sqfs_open_file(base::cat("/proc/self/fd/", from.fd()).c_str(), SQFS_FILE_OPEN_READ_ONLY));
  if (!file) {
    fail("cannot be opened");
  }
  if (sqfs_super_read(&super, file.get()) != 0) {
    fail("not a squashfs of version 4, or its superblock is damaged");
  }
  if (super.bytes_used > from.size()) {
    fail(base::cat("truncated: the superblock says ", super.bytes_used, " bytes, the file has ",
                   from.size()));
  }
  sqfs_compressor_config_t config{};
  check(sqfs_compressor_config_init(&config, static_cast<SQFS_COMPRESSOR>(super.compression_id),
                                    super.block_size, SQFS_COMP_FLAG_UNCOMPRESS));
  sqfs_compressor_t* made = nullptr;
  check(sqfs_compressor_create(&config, &made));
  compressor.reset(made);
  directories.reset(sqfs_dir_reader_create(&super, compressor.get(), file.get(), 0));
  data.reset(sqfs_data_reader_create(file.get(), super.block_size, compressor.get(), 0));
  if (!directories || !data) {
    fail("out of memory");
  }
  check(sqfs_data_reader_load_fragment_table(data.get(), &super));
  const char* name =
      sqfs_compressor_name_from_id(static_cast<SQFS_COMPRESSOR>(super.compression_id));
  facts = {super.bytes_used, super.inode_count, super.modification_time,
           name != nullptr ? name : "unknown"};
}

SquashfsInode Squashfs::State::root() const {
  sqfs_inode_generic_t* found = nullptr;
  check(sqfs_dir_reader_get_root_inode(directories.get(), &found));
  return SquashfsInode(found);
}

SquashfsInode Squashfs::State::find(const std::string& path) const {
  auto where = path;
  for (int hop = 0; hop < most_hops; ++hop) {
    sqfs_inode_generic_t* found = nullptr;
    const int code =
        sqfs_dir_reader_find_by_path(directories.get(), nullptr, where.c_str(), &found);
    if (code == SQFS_ERROR_NO_ENTRY || code == SQFS_ERROR_NOT_DIR) {
      return nullptr;
    }
    check(code);
    SquashfsInode inode(found);
    if (type_of(*inode) != S_IFLNK) {
      return inode;
    }
    const auto* target = reinterpret_cast<const char*>(inode->extra);  // NOLINT: the C layout
    where = resolve(where, std::string(target, inode->data.slink.target_size));
  }
  return nullptr;
}

std::string Squashfs::State::content(const sqfs_inode_generic_t& inode, std::uint64_t limit) const {
  sqfs_u64 size = 0;
  check(sqfs_inode_get_file_size(&inode, &size));
  if (size > limit) {
    fail(base::cat("a file of ", size, " bytes where at most ", limit, " are expected"));
  }
  std::string out(static_cast<std::size_t>(size), '\0');
  read(inode, 0, out);
  return out;
}

void Squashfs::State::read(const sqfs_inode_generic_t& inode, std::uint64_t offset,
                           std::span<char> into) const {
  while (!into.empty()) {
    const auto want = static_cast<sqfs_u32>(std::min(read_size, into.size()));
    const auto got = sqfs_data_reader_read(data.get(), &inode, offset, into.data(), want);
    check(std::min<sqfs_s32>(got, 0));
    if (got == 0) {
      fail("damaged squashfs: a file ends early");
    }
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

std::vector<Squashfs::State::Entry> Squashfs::State::list(const sqfs_inode_generic_t& inode,
                                                          const std::string& path, bool all) const {
  std::vector<Entry> entries;
  check(sqfs_dir_reader_open_dir(directories.get(), &inode, 0));
  std::string previous;
  while (true) {
    sqfs_dir_entry_t* raw = nullptr;
    const int code = sqfs_dir_reader_read(directories.get(), &raw);
    if (code > 0) {
      return entries;
    }
    check(code);
    const SquashfsMemory<sqfs_dir_entry_t> entry(raw);
    const std::string name(reinterpret_cast<const char*>(entry->name),  // NOLINT: the C layout
                           entry->size + std::size_t{1});
    if (name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      fail(base::cat("hostile name '", base::escape_control(name), "' in directory /", path));
    }
    if (name <= previous) {
      fail(base::cat("name '", base::escape_control(name), "' comes twice or out of order in /",
                     path));
    }
    previous = name;
    if (all || entry->type == SQFS_INODE_DIR || entry->type == SQFS_INODE_EXT_DIR) {
      sqfs_inode_generic_t* found = nullptr;
      check(sqfs_dir_reader_get_inode(directories.get(), &found));
      entries.push_back({name, SquashfsInode(found)});
    }
  }
}

Squashfs::Squashfs(base::File& file) : state_(std::make_unique<State>()) {
  state_->open(file);
}

Squashfs::~Squashfs() = default;

const SquashfsFacts& Squashfs::facts() const {
  return state_->facts;
}

std::optional<std::string> Squashfs::read(const std::string& path, std::uint64_t limit) const {
  const auto inode = state_->find(path);
  return inode && type_of(*inode) == S_IFREG ? std::optional(state_->content(*inode, limit))
                                             : std::nullopt;
}

void Squashfs::check_names() const {
  std::vector<std::pair<std::string, SquashfsInode>> pending;
  pending.emplace_back("", state_->root());
  std::unordered_set<sqfs_u32> seen;
  while (!pending.empty()) {
    const auto [path, inode] = std::move(pending.back());
    pending.pop_back();
    if (type_of(*inode) != S_IFDIR || !seen.insert(inode->base.inode_number).second) {
      state_->fail(base::cat("damaged squashfs: directory /", path, " is in two places"));
    }
    for (auto& [name, below] : state_->list(*inode, path, false)) {
      pending.emplace_back(path.empty() ? name : base::cat(path, "/", name), std::move(below));
    }
  }
}

}  // namespace io

#include "meph2/image/root/root_image.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include <sys/stat.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/process/stop.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/image/ext4_image.h"
#include "io/image/squashfs.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint64_t block_size = 4096;
constexpr std::uint64_t mebibyte = 1ULL << 20U;
/// What a root that was too large for the usual size gets on top of its need: as the established
/// tools give it (--allow-padding=100M).
constexpr std::uint64_t padding = 100 * mebibyte;
/// One inode for so many bytes, as mke2fs has it.
constexpr std::uint64_t bytes_per_inode = 16384;
constexpr std::uint64_t small_file_system = 256 * mebibyte;
constexpr const char* features =
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize";
/// Where mke2fs wants a UUID before there is one.
constexpr const char* no_uuid = "00000000-0000-4000-8000-000000000000";
/// Shorter targets and attributes up to about this fit into the inode itself.
constexpr std::size_t inline_target = 60;
constexpr std::size_t inline_attributes = 60;

std::uint64_t blocks_of(std::uint64_t bytes) {
  return (bytes + block_size - 1) / block_size;
}

/// What a tree needs, at most.
class Needs {
 public:
  void add(const io::TreeNode& node, bool first_name) {
    newest_ = std::max(newest_, node.mtime);
    const auto name = base::base_name(node.path);
    directory_bytes_ += 12 + name.size();  // rec_len is a multiple of four behind an 8 byte head
    if (!first_name) {
      return;
    }
    ++inodes_;
    blocks_ += blocks_of(node.size - std::min(node.size, node.holes));
    const bool long_link = S_ISLNK(node.mode) && node.target.size() >= inline_target;
    blocks_ += S_ISDIR(node.mode) || long_link ? 1 : 0;
    std::size_t attributes = 0;
    for (const auto& [key, value] : node.attributes) {
      attributes += key.size() + value.size() + 16;
    }
    blocks_ += attributes > inline_attributes ? 1 : 0;
  }

  std::uint64_t inodes() const { return inodes_ + 16; }

  /// Directories that hold much end in a block that is not full; fragmented files have blocks that
  /// list their extents.
  std::uint64_t blocks() const {
    return blocks_ + blocks_of(directory_bytes_) * 2 + blocks_ / 256 + 64;
  }

  std::uint32_t newest() const { return newest_; }

 private:
  std::uint64_t blocks_ = 0;
  std::uint64_t inodes_ = 0;
  std::uint64_t directory_bytes_ = 0;
  std::uint32_t newest_ = 0;
};

/// Inodes and names, so that a second name of a file is known as one.
using Names = std::map<std::uint32_t, io::Ext4Image::Inode>;

Needs needs_of(const io::Squashfs& tree, const std::stop_token& stop) {
  Needs needs;
  Names seen;
  tree.walk([&](const io::TreeNode& node, const io::Squashfs::Content&) {
    base::check_stop(stop);
    needs.add(node, seen.emplace(node.number, 0).second);
  });
  return needs;
}

/// An empty file system; nothing of it is left to the machine's mke2fs.conf. The features are those
/// that kernels from 2.6.28 on know.
void format(const std::string& output, std::uint64_t size, std::uint64_t inodes, int log,
            const std::stop_token& stop) {
  {
    auto file = base::open_file(output, O_WRONLY | O_CREAT | O_EXCL, 0644);
    file.truncate(size);
    file.close();
  }
  base::Command command;
  command.argv = {"mke2fs", "-q", "-F", "-t", "ext4", "-O", features, "-L", "cloudimg-rootfs", "-m",
                  "0", "-b", std::to_string(block_size), "-I", "256", "-N", std::to_string(inodes),
                  "-J",
                  // MiB; 4 is the least there is.
                  size < small_file_system ? "size=4" : "size=16", "-G", "16", "-U", no_uuid, "-E",
                  base::cat("hash_seed=", no_uuid,
                            // A new file is zero already.
                            ",lazy_itable_init=0,lazy_journal_init=1,nodiscard,root_owner=0:0"),
                  output};
  command.env = {{"E2FSPROGS_FAKE_TIME", "1"}, {"SOURCE_DATE_EPOCH", "1"}, {"LC_ALL", "C"}};
  command.capture_output = true;
  command.capture_error = true;
  command.log_fd = log;
  base::run_checked(command, stop);
}

/// Formats, and formats larger as long as the tree does not fit.
void format_for(const Needs& needs, const std::string& output, const RootImageOptions& options,
                const base::Log& log, const std::stop_token& stop) {
  auto size = options.size / block_size * block_size;
  constexpr int most_tries = 6;
  for (int tries = 0; tries < most_tries; ++tries) {
    // A tenth of the inodes is for what is added once it runs.
    const auto inodes = std::max(size / bytes_per_inode, needs.inodes() + needs.inodes() / 10);
    format(output, size, inodes, options.log, stop);
    const auto room = io::Ext4Image(output).room();
    if (room.blocks >= needs.blocks() && room.inodes >= needs.inodes()) {
      if (size > options.size) {
        log.warning(base::cat("root image: the tree does not fit into ", options.size / mebibyte,
                              "M: made of ", size / mebibyte, "M"));
      }
      return;
    }
    base::unlink_at(AT_FDCWD, output);
    // What the file system needs for itself grows along with it.
    const auto own = size / block_size - std::min(size / block_size, room.blocks);
    const auto whole = (needs.blocks() + own) * block_size + padding;
    size = std::max(whole, size + padding) / mebibyte * mebibyte + mebibyte;
  }
  throw Error(Errc::internal, "root image: no size was large enough");
}

/// A digest of everything that a tree is.
class Content {
 public:
  void add(const io::TreeNode& node) {
    auto text = base::cat(node.path, '\0', node.mode, " ", node.uid, " ", node.gid, " ", node.mtime,
                          " ", node.number, " ", node.size, " ", node.major, " ", node.minor, " ",
                          node.target, '\0');
    for (const auto& [key, value] : node.attributes) {
      text += base::cat(key, '\0', value.size(), " ", value);
    }
    digest_.update(text);
  }

  void add(std::uint64_t offset, std::string_view bytes) {
    digest_.update(base::cat(offset, " ", bytes.size(), " "));
    digest_.update(bytes);
  }

  /// A UUID of the kind that is made of a digest (RFC 9562, version 8), and a seed.
  std::pair<std::string, std::string> identity() {
    const auto hex = digest_.hex();
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    auto uuid = bytes.substr(0, 16);
    uuid[6] = static_cast<char>((static_cast<unsigned char>(uuid[6]) & 0x0FU) | 0x80U);
    uuid[8] = static_cast<char>((static_cast<unsigned char>(uuid[8]) & 0x3FU) | 0x80U);
    return {uuid, bytes.substr(16, 16)};
  }

 private:
  io::Digest digest_{io::Algorithm::sha256};
};

/// Writes a tree into an image, node by node.
class Filler {
 public:
  Filler(io::Ext4Image& image, const std::stop_token& stop) : image_(image), stop_(stop) {}

  void add(const io::TreeNode& node, const io::Squashfs::Content& content) {
    base::failpoint::reads(node.path);
    base::check_stop(stop_);
    digest_.add(node);
    if (node.path.empty()) {
      image_.set_root(node);
      directories_["."] = io::Ext4Image::root();
      return;
    }
    const auto parent = directories_.at(base::parent_of(node.path));
    const auto name = base::base_name(node.path);
    if (const auto known = names_.find(node.number); known != names_.end()) {
      image_.link(parent, name, known->second);
      return;
    }
    const auto inode = image_.add(parent, name, node);
    names_[node.number] = inode;
    if (S_ISDIR(node.mode)) {
      directories_[node.path] = inode;
    } else if (S_ISREG(node.mode)) {
      content([&](std::uint64_t offset, std::string_view bytes) {
        base::check_stop(stop_);
        digest_.add(offset, bytes);
        image_.write(inode, offset, bytes);
      });
      image_.end_file(inode, node);
    }
  }

  Content& digest() { return digest_; }

 private:
  io::Ext4Image& image_;
  const std::stop_token& stop_;
  Content digest_;
  std::map<std::string, io::Ext4Image::Inode> directories_;
  Names names_;
};

std::uint32_t date_or(std::uint32_t newest) {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const auto given = epoch == nullptr ? std::nullopt : base::parse_decimal(epoch);
  return given ? static_cast<std::uint32_t>(std::min<std::uint64_t>(*given, UINT32_MAX)) : newest;
}

}  // namespace

void make_root_image(const std::string& squashfs, const std::string& output,
                     const RootImageOptions& options, const base::Log& log,
                     const std::stop_token& stop) {
  auto file = base::open_file(squashfs, O_RDONLY);
  const io::Squashfs tree(file);
  const auto needs = needs_of(tree, stop);
  format_for(needs, output, options, log, stop);
  io::Ext4Image image(output);
  Filler filler(image, stop);
  tree.walk([&](const io::TreeNode& node, const io::Squashfs::Content& content) {
    filler.add(node, content);
  });
  const auto [uuid, seed] = filler.digest().identity();
  image.set_identity(uuid, seed, date_or(needs.newest()));
  image.close();
}

void gzip_root_image(const std::string& image, const std::stop_token& stop, int log) {
  base::Command command;
  command.argv = {"gzip", "-9", "--rsyncable", "--no-name", "--force", image};
  command.env = {{"GZIP", ""}};
  command.log_fd = log;
  command.capture_output = true;
  command.capture_error = true;
  base::run_checked(command, stop);
}

}  // namespace meph2::image

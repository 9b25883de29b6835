#include "io/tar/archive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/tar/archive_handle.h"
#include "io/tar/names.h"

namespace io {

namespace {

using base::Errc;
using base::Error;
using libarchive::buffer_size;
using libarchive::damaged;
using libarchive::entry_name;
using libarchive::library;
using libarchive::next_entry;
using libarchive::open_reader;
using libarchive::pipe_block;
using libarchive::read_data;
using libarchive::Reader;
using libarchive::require_end_of_tar;
using libarchive::write_failed;
using libarchive::Writer;

/// Holes cost nothing to keep, but each byte of them is walked over.
constexpr std::uint64_t hole_factor = 64;

/// Hands out the data of the current entry, which leaves out holes: `take(offset, block)`.
template <typename Take>
void for_each_block(Reader& reader, base::File& in, const std::stop_token& stop, const Take& take) {
  const void* block = nullptr;
  std::size_t length = 0;
  la_int64_t offset = 0;
  int code = ARCHIVE_OK;
  while ((code = library().read_data_block(reader.get(), &block, &length, &offset)) == ARCHIVE_OK) {
    base::check_stop(stop);
    take(offset, std::string_view(static_cast<const char*>(block), length));
  }
  if (code != ARCHIVE_EOF) {
    damaged(reader, in);
  }
}

/// Copies entries from one archive to the other, each looked at first.
class TarCopy {
 public:
  TarCopy(base::File& in, int out, std::uint64_t max_bytes, std::stop_token stop)
      : in_(in),
        reader_(open_reader(in, true)),
        writer_(library().write_new()),
        max_bytes_(max_bytes),
        stop_(std::move(stop)),
        zeros_(buffer_size, '\0') {
    auto* a = writer_.get();
    library().write_set_format_pax_restricted(a);
    library().write_set_options(a, "xattrheader=SCHILY");
    library().write_set_bytes_per_block(a, pipe_block);
    library().write_set_bytes_in_last_block(a, 1);
    if (library().write_open_fd(a, out) != ARCHIVE_OK) {
      failed();
    }
  }

  TarFacts run() {
    archive_entry* entry = nullptr;
    while (next_entry(reader_, in_, entry)) {
      base::check_stop(stop_);
      copy(entry);
    }
    require_end_of_tar(reader_, in_);
    if (facts_.entries == 0) {
      throw Error(Errc::untrusted, base::cat("read ", in_.name(), ": empty tar archive"));
    }
    if (library().write_close(writer_.get()) != ARCHIVE_OK) {
      failed();
    }
    return facts_;
  }

 private:
  [[noreturn]] void failed() { write_failed(writer_, "tar stream"); }

  void copy(archive_entry* entry) {
    const auto name = entry_name(entry);
    const char* link = library().entry_hardlink(entry);
    check_kind(entry, name, link != nullptr);
    if (link != nullptr) {
      const auto target = normal_entry_name(link);
      names_.require_link_target(name, target);
      library().entry_set_hardlink(entry, target.c_str());
      library().entry_unset_size(entry);
    }
    const bool directory = library().entry_filetype(entry) == AE_IFDIR;
    library().entry_set_pathname(entry,
                                 name.empty() ? "./" : (directory ? name + "/" : name).c_str());
    strip(entry, name);
    const bool has_data = link == nullptr && library().entry_filetype(entry) == AE_IFREG;
    if (has_data) {
      count_data(entry, name);
    }
    if (library().write_header(writer_.get(), entry) < ARCHIVE_WARN) {
      failed();
    }
    if (has_data) {
      copy_data(library().entry_size(entry));
    }
    ++facts_.entries;
  }

  void check_kind(archive_entry* entry, const std::string& name, bool hard_link) {
    const auto type = library().entry_filetype(entry);
    auto kind = EntryKind::other;
    if (!hard_link) {
      if (type == AE_IFDIR) {
        kind = EntryKind::directory;
      } else if (type == AE_IFLNK) {
        kind = EntryKind::symlink;
        const char* target = library().entry_symlink(entry);
        if (target == nullptr || *target == '\0') {
          throw Error(Errc::untrusted, base::cat("entry '", base::escape_control(name),
                                                 "': symlink without a target"));
        }
      } else if (type != AE_IFREG && type != AE_IFCHR && type != AE_IFBLK && type != AE_IFIFO) {
        throw Error(Errc::untrusted,
                    base::cat("entry '", base::escape_control(name), "': unknown type of entry"));
      }
    }
    if (name.empty() && kind != EntryKind::directory) {
      throw Error(Errc::untrusted, "the root of the archive is no directory");
    }
    names_.add(name, kind);
  }

  /// What squashfs cannot hold is taken off and counted; names of users are of another host.
  void strip(archive_entry* entry, const std::string& name) {
    library().entry_set_uname(entry, nullptr);
    library().entry_set_gname(entry, nullptr);
    library().entry_set_fflags(entry, 0, 0);
    if ((library().entry_acl_types(entry) &
         (ARCHIVE_ENTRY_ACL_TYPE_POSIX1E | ARCHIVE_ENTRY_ACL_TYPE_NFS4)) != 0) {
      facts_.first_acl = facts_.acls++ == 0 ? name : facts_.first_acl;
      library().entry_acl_clear(entry);
    }
    if (library().entry_mtime(entry) < 0) {
      library().entry_set_mtime(entry, 0, 0);
    }
    strip_xattrs(entry, name);
  }

  void strip_xattrs(archive_entry* entry, const std::string& name) {
    std::vector<std::pair<std::string, std::string>> kept;
    bool dropped = false;
    const char* key = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    library().entry_xattr_reset(entry);
    while (library().entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK) {
      const std::string_view text = key != nullptr ? key : "";
      if (text.starts_with("user.") || text.starts_with("trusted.") ||
          text.starts_with("security.")) {
        kept.emplace_back(text, std::string(static_cast<const char*>(value), size));
      } else {
        dropped = true;
        note_dropped(text, name);
      }
    }
    if (dropped) {
      library().entry_xattr_clear(entry);
      for (const auto& [name_kept, bytes] : kept) {
        library().entry_xattr_add_entry(entry, name_kept.c_str(), bytes.data(), bytes.size());
      }
    }
  }

  void note_dropped(std::string_view key, const std::string& name) {
    if (key.starts_with("system.posix_acl_")) {
      facts_.first_acl = facts_.acls++ == 0 ? name : facts_.first_acl;
    } else {
      facts_.first_dropped =
          facts_.dropped_xattrs++ == 0 ? base::cat(key, " of ", name) : facts_.first_dropped;
    }
  }

  void count_data(archive_entry* entry, const std::string& name) {
    auto bytes = static_cast<std::uint64_t>(std::max<la_int64_t>(library().entry_size(entry), 0));
    const auto whole = bytes;
    if (library().entry_sparse_reset(entry) > 0) {
      bytes = 0;
      la_int64_t offset = 0;
      la_int64_t length = 0;
      while (library().entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK) {
        bytes += static_cast<std::uint64_t>(length);
      }
      library().entry_sparse_reset(entry);
    }
    facts_.bytes += bytes;
    holes_ += whole - std::min(whole, bytes);
    if (facts_.bytes > max_bytes_ || holes_ / hole_factor > max_bytes_) {
      throw Error(Errc::untrusted,
                  base::cat("read ", in_.name(), ": unpacks to more than the ",
                            base::human_bytes(max_bytes_), " that are free (at entry '",
                            base::escape_control(name), "')"));
    }
  }

  void put(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = library().write_data(writer_.get(), bytes.data(), bytes.size());
      if (count < 0) {
        failed();
      }
      if (count == 0) {
        throw Error(Errc::untrusted,
                    base::cat("read ", in_.name(), ": an entry holds more than it declares"));
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void put_zeros(std::uint64_t count) {
    while (count > 0) {
      base::check_stop(stop_);
      const auto part = std::min<std::uint64_t>(count, zeros_.size());
      put(std::string_view(zeros_).substr(0, static_cast<std::size_t>(part)));
      count -= part;
    }
  }

  void copy_data(la_int64_t size) {
    la_int64_t position = 0;
    for_each_block(reader_, in_, stop_, [&](la_int64_t offset, std::string_view block) {
      put_zeros(static_cast<std::uint64_t>(std::max<la_int64_t>(offset - position, 0)));
      put(block);
      position = offset + static_cast<la_int64_t>(block.size());
    });
    put_zeros(static_cast<std::uint64_t>(std::max<la_int64_t>(size - position, 0)));
  }

  base::File& in_;
  Reader reader_;
  Writer writer_;
  std::uint64_t max_bytes_;
  std::stop_token stop_;
  std::string zeros_;
  EntryNames names_;
  TarFacts facts_;
  std::uint64_t holes_ = 0;
};

/// Writes blocks of a file, leaving holes for zeros, within a bound.
class SparseWriter {
 public:
  SparseWriter(base::File& out, const base::File& in, std::uint64_t max_bytes)
      : out_(out), in_(in), max_bytes_(max_bytes) {}

  void put(std::string_view block) {
    constexpr std::size_t page = 4096;
    static constexpr std::array<char, page> zeros{};
    while (!block.empty()) {
      const auto part = block.substr(0, page - (position_ % page));
      const bool zero = std::memcmp(part.data(), zeros.data(), part.size()) == 0;
      if (!zero) {
        data_ += part.size();
        out_.seek(position_);
        out_.write(part);
      }
      position_ += part.size();
      block.remove_prefix(part.size());
    }
    check_room();
  }

  void skip(std::uint64_t zeros) {
    position_ += zeros;
    check_room();
  }

  void close() { out_.truncate(position_); }

 private:
  void check_room() const {
    if (data_ > max_bytes_ || position_ / hole_factor > max_bytes_) {
      throw Error(Errc::untrusted, base::cat("read ", in_.name(), ": unpacks to more than the ",
                                             base::human_bytes(max_bytes_), " that are free"));
    }
  }

  base::File& out_;
  const base::File& in_;
  std::uint64_t max_bytes_;
  std::uint64_t position_ = 0;
  std::uint64_t data_ = 0;
};

void copy_current(Reader& reader, base::File& in, base::File& out, std::uint64_t max_bytes,
                  const std::stop_token& stop) {
  SparseWriter writer(out, in, max_bytes);
  la_int64_t position = 0;
  for_each_block(reader, in, stop, [&](la_int64_t offset, std::string_view block) {
    if (position < offset) {
      writer.skip(static_cast<std::uint64_t>(offset - position));
      position = offset;
    }
    writer.put(block);
    position += static_cast<la_int64_t>(block.size());
  });
  writer.close();
}

bool is_disk_image_name(const std::string& name) {
  return name.find('/') == std::string::npos && name.ends_with(".img");
}

}  // namespace

TarFacts normalise_tar(base::File& in, int out, std::uint64_t max_bytes,
                       const std::stop_token& stop) {
  return TarCopy(in, out, max_bytes, stop).run();
}

std::string decompressed_head(base::File& in, std::size_t size) {
  auto reader = open_reader(in, false);
  archive_entry* entry = nullptr;
  if (!next_entry(reader, in, entry)) {
    return {};
  }
  return read_data(reader, in, size);
}

void decompress(base::File& in, base::File& out, std::uint64_t max_bytes,
                const std::stop_token& stop) {
  auto reader = open_reader(in, false);
  archive_entry* entry = nullptr;
  if (!next_entry(reader, in, entry)) {
    throw Error(Errc::untrusted, base::cat("read ", in.name(), ": empty"));
  }
  copy_current(reader, in, out, max_bytes, stop);
}

std::optional<std::string> disk_image_in_tar(base::File& in) {
  constexpr int looked_at = 8;
  auto reader = open_reader(in, true);
  archive_entry* entry = nullptr;
  for (int i = 0; i < looked_at && next_entry(reader, in, entry); ++i) {
    const auto name = entry_name(entry);
    if (library().entry_filetype(entry) != AE_IFREG || name.find('/') != std::string::npos) {
      return std::nullopt;
    }
    if (is_disk_image_name(name)) {
      return name;
    }
  }
  return std::nullopt;
}

void extract_disk_image(base::File& in, base::File& out, std::uint64_t max_bytes,
                        const std::stop_token& stop) {
  auto reader = open_reader(in, true);
  archive_entry* entry = nullptr;
  std::string found;
  while (next_entry(reader, in, entry)) {
    const auto name = entry_name(entry);
    if (!is_disk_image_name(name) || library().entry_filetype(entry) != AE_IFREG) {
      continue;
    }
    if (!found.empty()) {
      throw Error(Errc::untrusted, base::cat("read ", in.name(), ": holds more than one image: ",
                                             found, " and ", base::escape_control(name)));
    }
    found = name;
    copy_current(reader, in, out, max_bytes, stop);
  }
  require_end_of_tar(reader, in);
  if (found.empty()) {
    throw Error(Errc::untrusted, base::cat("read ", in.name(), ": holds no *.img"));
  }
}

std::optional<std::string> read_from_tar(base::File& in, const std::vector<std::string>& names,
                                         std::uint64_t limit, const std::stop_token& stop) {
  auto reader = open_reader(in, true);
  archive_entry* entry = nullptr;
  while (next_entry(reader, in, entry)) {
    base::check_stop(stop);
    const auto name = entry_name(entry);
    if (library().entry_filetype(entry) != AE_IFREG ||
        std::find(names.begin(), names.end(), name) == names.end()) {
      continue;
    }
    const auto size = std::max<la_int64_t>(library().entry_size(entry), 0);
    if (static_cast<std::uint64_t>(size) > limit) {
      throw Error(Errc::untrusted, base::cat("read ", in.name(), ": entry ", name, " has ", size,
                                             " bytes where at most ", limit, " are expected"));
    }
    return read_data(reader, in, static_cast<std::size_t>(size));
  }
  return std::nullopt;
}

}  // namespace io

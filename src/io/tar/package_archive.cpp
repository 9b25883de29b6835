#include "io/tar/package_archive.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/tar/archive.h"
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
using libarchive::write_failed;
using libarchive::Writer;

constexpr int max_hops = 8;
constexpr mode_t plain_file = 0644;

[[noreturn]] void refuse(const base::File& in, const std::string& reason) {
  throw Error(Errc::untrusted, base::cat("read ", in.name(), ": ", reason));
}

std::string quoted(const std::string& name) {
  return base::cat("'", base::escape_control(name), "'");
}

/// The member data.tar.* of the ar archive that a .deb is, still compressed.
base::File data_member(base::File& deb, const PackageLimits& limits, const std::stop_token& stop) {
  Reader reader(library().read_new());
  library().read_support_format_ar(reader.get());
  deb.seek(0);
  if (library().read_open_fd(reader.get(), deb.fd(), buffer_size) != ARCHIVE_OK) {
    damaged(reader, deb);
  }
  archive_entry* entry = nullptr;
  while (next_entry(reader, deb, entry)) {
    const char* raw = library().entry_pathname(entry);
    const std::string name = raw != nullptr ? raw : "";
    if (!name.starts_with("data.tar")) {
      continue;
    }
    auto data = base::unnamed_file(base::cat(deb.name(), " ", name));
    std::uint64_t seen = 0;
    while (true) {
      base::check_stop(stop);
      const auto block = read_data(reader, deb, buffer_size);
      if (block.empty()) {
        return data;
      }
      seen += block.size();
      if (seen > limits.max_bytes) {
        refuse(deb, base::cat("holds more than ", base::human_bytes(limits.max_bytes)));
      }
      data.write(block);
    }
  }
  refuse(deb, "is no Debian package (no data.tar)");
}

/// Names and links of a package's tar, each looked at.
struct Listing {
  std::set<std::string> files;
  std::map<std::string, std::string> links;  ///< symlinks and hard links, to names in the package
};

/// Where a link leads within the package; nullopt: out of it.
std::optional<std::string> link_target(const std::string& name, const std::string& target) {
  std::vector<std::string> parts;
  if (!target.starts_with('/')) {
    parts = base::split(name, '/');
    parts.pop_back();
  }
  for (const auto& part : base::split(target, '/')) {
    if (part == "..") {
      if (parts.empty()) {
        return std::nullopt;
      }
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return base::join(parts, "/");
}

/// Reads the headers of a package's tar, all of them before any content counts.
class ListingReader {
 public:
  ListingReader(base::File& data, const PackageLimits& limits) : data_(data), limits_(limits) {}

  Listing read(const std::stop_token& stop) {
    auto reader = open_reader(data_, true);
    archive_entry* entry = nullptr;
    while (next_entry(reader, data_, entry)) {
      base::check_stop(stop);
      take(entry);
    }
    libarchive::require_end_of_tar(reader, data_);
    return std::move(listing_);
  }

 private:
  void take(archive_entry* entry) {
    const auto name = entry_name(entry);
    bytes_ += static_cast<std::uint64_t>(std::max<la_int64_t>(library().entry_size(entry), 0));
    if (++entries_ > limits_.max_entries || bytes_ > limits_.max_bytes) {
      refuse(data_, base::cat("unpacks to more than ", limits_.max_entries, " files or ",
                              base::human_bytes(limits_.max_bytes)));
    }
    const char* hard_link = library().entry_hardlink(entry);
    if (hard_link != nullptr) {
      const auto target = normal_entry_name(hard_link);
      names_.require_link_target(name, target);
      names_.add(name, EntryKind::other);
      listing_.links.emplace(name, "/" + target);
      return;
    }
    const auto type = library().entry_filetype(entry);
    if (type == AE_IFDIR) {
      names_.add(name, EntryKind::directory);
    } else if (type == AE_IFLNK) {
      names_.add(name, EntryKind::symlink);
      const char* target = library().entry_symlink(entry);
      listing_.links.emplace(name, target != nullptr ? target : "");
    } else if (type == AE_IFREG) {
      names_.add(name, EntryKind::other);
      listing_.files.insert(name);
    } else {
      refuse(data_, base::cat("entry ", quoted(name), " is a device, a pipe or of unknown type"));
    }
  }

  base::File& data_;
  const PackageLimits& limits_;
  EntryNames names_;
  Listing listing_;
  std::uint64_t bytes_ = 0;
  std::uint64_t entries_ = 0;
};

std::string follow(const base::File& data, const Listing& listing, const std::string& name) {
  auto at = name;
  for (int hop = 0; hop < max_hops; ++hop) {
    if (listing.files.contains(at)) {
      return at;
    }
    const auto link = listing.links.find(at);
    const auto next = link == listing.links.end() ? std::nullopt : link_target(at, link->second);
    if (!next) {
      break;
    }
    at = *next;
  }
  refuse(data, base::cat("link ", quoted(name), " leads out of the package, or to nothing in it"));
}

/// The content of an entry, which is wanted under so many names.
std::string content_of(Reader& reader, base::File& data, archive_entry* entry, std::size_t names,
                       std::uint64_t& budget) {
  const auto size =
      static_cast<std::uint64_t>(std::max<la_int64_t>(library().entry_size(entry), 0));
  if (size > budget / names) {
    refuse(data, base::cat("file ", quoted(entry_name(entry)), " has ", base::human_bytes(size),
                           ", which is more than is taken from a package"));
  }
  budget -= size * names;
  auto content = read_data(reader, data, static_cast<std::size_t>(size));
  if (content.size() < size) {
    damaged(reader, data);
  }
  return content;
}

}  // namespace

std::map<std::string, std::string> read_package_files(
    base::File& deb, const std::function<bool(const std::string& name)>& wanted,
    const PackageLimits& limits, const std::stop_token& stop) {
  auto data = data_member(deb, limits, stop);
  const auto listing = ListingReader(data, limits).read(stop);
  std::map<std::string, std::vector<std::string>> names;  // of a file: those that it is wanted by
  for (const auto& name : listing.files) {
    if (wanted(name)) {
      names[name].push_back(name);
    }
  }
  for (const auto& link : listing.links) {
    if (wanted(link.first)) {
      names[follow(data, listing, link.first)].push_back(link.first);
    }
  }
  std::map<std::string, std::string> out;
  auto budget = limits.max_taken;
  auto reader = open_reader(data, true);
  archive_entry* entry = nullptr;
  while (next_entry(reader, data, entry)) {
    base::check_stop(stop);
    const auto found = names.find(entry_name(entry));
    if (found == names.end() || library().entry_filetype(entry) != AE_IFREG) {
      continue;
    }
    const auto content = content_of(reader, data, entry, found->second.size(), budget);
    for (const auto& name : found->second) {
      out[name] = content;
    }
  }
  return out;
}

void write_tar_xz(const std::map<std::string, std::string>& files, base::File& out) {
  const Writer writer(library().write_new());
  auto* a = writer.get();
  const auto check = [&](bool good) {
    if (!good) {
      write_failed(writer, out.name());
    }
  };
  library().write_set_format_ustar(a);
  library().write_add_filter_xz(a);
  // The number of threads is part of what makes the bytes.
  check(library().write_set_options(a, "xz:compression-level=6,xz:threads=1") == ARCHIVE_OK);
  library().write_set_bytes_per_block(a, pipe_block);
  library().write_set_bytes_in_last_block(a, 1);
  out.seek(0);
  check(library().write_open_fd(a, out.fd()) == ARCHIVE_OK);
  for (const auto& [name, content] : files) {
    const libarchive::Entry entry(library().entry_new());
    library().entry_set_pathname(entry.get(), name.c_str());
    library().entry_set_filetype(entry.get(), AE_IFREG);
    library().entry_set_perm(entry.get(), plain_file);
    library().entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    library().entry_set_mtime(entry.get(), 0, 0);
    check(library().write_header(a, entry.get()) == ARCHIVE_OK);
    for (std::string_view rest = content; !rest.empty();) {
      const auto count = library().write_data(a, rest.data(), rest.size());
      check(count > 0);
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  check(library().write_close(a) == ARCHIVE_OK);
}

}  // namespace io

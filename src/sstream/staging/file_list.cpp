#include "sstream/staging/file_list.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace sstream {

namespace {

constexpr std::size_t fields = 12;                       ///< of a record without mirrors
constexpr std::size_t length_size = 8;                   ///< digits before a record
constexpr std::uint64_t last = std::uint64_t{1} << 63U;  ///< where those begin that come last

/// An origin on this machine may have every character but NUL in its name.
std::string record_of(const FileEntry& entry) {
  constexpr std::string_view end("\0", 1);
  const auto& [file, item] = entry;
  auto record =
      base::cat(file.path, end, file.expected.size, end, file.expected.md5, end,
                file.expected.sha256, end, file.expected.sha512, end, file.may_link ? "l" : "", end,
                file.known ? "k" : "", end, file.replace ? "r" : "", end, item.product, end,
                item.version, end, item.item, end, file.origin);
  for (const auto& mirror : file.mirrors) {
    record += end;
    record += mirror;
  }
  const auto length = base::cat(record.size());
  return base::cat(std::string(length_size - std::min(length_size, length.size()), '0'), length,
                   record);
}

std::uint64_t content_hash(const Checksums& sums, bool late) {
  return io::fingerprint64(base::cat(sums.strongest().second, " ", sums.size, late ? " late" : ""));
}

}  // namespace

void FileList::require_same_promise(const FileEntry& first, const FileEntry& entry) const {
  const auto& one = first.file.expected;
  const auto& other = entry.file.expected;
  if (naming_ == Naming::at_the_end && first.file.path == entry.file.path) {
    if (one.strongest() != other.strongest() || one.size != other.size) {
      throw base::Error(base::Errc::conflict,
                        base::cat(entry.file.path,
                                  ": is there already with other content (two items name it, with ",
                                  one.strongest().second, " and ", other.strongest().second, ")"));
    }
  } else if (first.file.path != entry.file.path || one != other) {
    throw base::Error(
        base::Errc::untrusted,
        base::cat(entry.file.path, ": ", first.item.text(), " promises ", one.strongest().second,
                  " of ", one.size, " bytes, ", entry.item.text(), " ", other.strongest().second,
                  " of ", other.size));
  }
}

void FileList::add(const FileEntry& entry) {
  const auto& file = entry.file;
  const auto [known, added] = promises_.emplace(io::fingerprint64(file.path), spool_.end());
  if (!added) {
    require_same_promise(read(known->second), entry);
    return;
  }
  const bool late = naming_ == Naming::as_they_come && file.replace;
  const auto offset = spool_.append(record_of(entry));
  const auto [group, is_new] =
      groups_.emplace(content_hash(file.expected, late), offset + (late ? last : 0));
  content_bytes_ += is_new ? file.expected.size : 0;
  places_.push_back({.group = group->second, .offset = offset});
  bytes_ += file.expected.size;
}

void FileList::add(const std::vector<NewFile>& files) {
  for (const auto& file : files) {
    add(file);
  }
}

FileEntry FileList::read(std::uint64_t offset) const {
  const auto length = base::parse_decimal(spool_.piece(offset, length_size)).value_or(0);
  const auto parts = base::split(spool_.piece(offset + length_size, length), '\0');
  if (parts.size() < fields) {
    throw base::Error(base::Errc::internal, "list of files: does not read back");
  }
  FileEntry entry;
  auto& [file, item] = entry;
  file.path = parts[0];
  file.expected.size = base::parse_decimal(parts[1]).value_or(0);
  file.expected.md5 = parts[2];
  file.expected.sha256 = parts[3];
  file.expected.sha512 = parts[4];
  file.may_link = !parts[5].empty();
  file.known = !parts[6].empty();
  file.replace = !parts[7].empty();
  item = {parts[8], parts[9], parts[10]};
  file.origin = parts[11];
  file.mirrors.assign(parts.begin() + fields, parts.end());
  return entry;
}

void FileList::for_each(const std::function<void(const FileEntry& entry)>& visit) const {
  auto places = places_;
  std::sort(places.begin(), places.end(), [](const Place& one, const Place& other) {
    return std::pair(one.group, one.offset) < std::pair(other.group, other.offset);
  });
  for (const auto& place : places) {
    visit(read(place.offset));
  }
}

std::vector<NewFile> FileList::files() const {
  std::vector<NewFile> all;
  all.reserve(size());
  for_each([&](const FileEntry& entry) { all.push_back(entry.file); });
  return all;
}

}  // namespace sstream

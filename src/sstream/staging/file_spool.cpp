#include "sstream/staging/file_spool.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace sstream {

namespace {

constexpr std::size_t fields = 10;

/// Neither paths nor names have control characters.
std::string record_of(const ListedFile& listed) {
  const auto& [file, item] = listed;
  return base::cat(file.path, "\t", file.expected.size, "\t", file.expected.md5, "\t",
                   file.expected.sha256, "\t", file.expected.sha512, "\t", file.known ? "k" : "",
                   "\t", file.replace ? "r" : "", "\t", item.product, "\t", item.version, "\t",
                   item.item, "\n");
}

std::uint64_t content_hash(const Checksums& sums) {
  return io::fingerprint64(base::cat(sums.strongest().second, " ", sums.size));
}

}  // namespace

FileSpool::FileSpool(Locate locate) : locate_(std::move(locate)), spool_("spool of files") {}

void FileSpool::add(const ListedFile& listed) {
  const auto& file = listed.file;
  const auto [known, added] = promises_.emplace(io::fingerprint64(file.path), spool_.end());
  if (!added) {
    const auto first = read(known->second);
    if (first.file.path != file.path || !(first.file.expected == file.expected)) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(file.path, ": ", first.item.text(), " promises ",
                                  first.file.expected.strongest().second, " of ",
                                  first.file.expected.size, " bytes, ", listed.item.text(), " ",
                                  file.expected.strongest().second, " of ", file.expected.size));
    }
    return;
  }
  const auto offset = spool_.append(record_of(listed));
  const auto [group, is_new] = groups_.emplace(content_hash(file.expected), offset);
  content_bytes_ += is_new ? file.expected.size : 0;
  places_.push_back({group->second, offset});
  bytes_ += file.expected.size;
}

ListedFile FileSpool::read(std::uint64_t offset) const {
  const auto parts = base::split(spool_.line(offset), '\t');
  if (parts.size() != fields) {
    throw base::Error(base::Errc::internal, "spool of files: does not read back");
  }
  ListedFile listed;
  auto& [file, item] = listed;
  file.path = parts[0];
  file.expected.size = base::parse_decimal(parts[1]).value_or(0);
  file.expected.md5 = parts[2];
  file.expected.sha256 = parts[3];
  file.expected.sha512 = parts[4];
  file.known = !parts[5].empty();
  file.replace = !parts[6].empty();
  auto origins = locate_(file.path);
  file.origin = origins.front();
  file.mirrors.assign(origins.begin() + 1, origins.end());
  item = {parts[7], parts[8], parts[9]};
  return listed;
}

void FileSpool::for_each(const std::function<void(const ListedFile& listed)>& visit) const {
  auto places = places_;
  std::stable_sort(places.begin(), places.end(), [](const Place& one, const Place& other) {
    return std::pair(one.group, one.offset) < std::pair(other.group, other.offset);
  });
  for (const auto& place : places) {
    visit(read(place.offset));
  }
}

}  // namespace sstream

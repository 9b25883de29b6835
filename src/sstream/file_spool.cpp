#include "sstream/file_spool.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "base/temp_dir.h"
#include "io/fingerprint.h"

namespace sstream {

namespace {

constexpr std::size_t piece_size = 65'536;
constexpr std::size_t window_size = 16'384;
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

FileSpool::FileSpool(Locate locate)
    : locate_(std::move(locate)), spool_(base::unnamed_file("spool of files")) {}

void FileSpool::add(const ListedFile& listed) {
  const auto& file = listed.file;
  const auto [known, added] = promises_.emplace(io::fingerprint64(file.path), end_);
  if (!added) {
    Window window{1024};
    const auto first = read(known->second, window);
    if (first.file.path != file.path || !(first.file.expected == file.expected)) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(file.path, ": ", first.item.text(), " promises ",
                                  first.file.expected.strongest().second, " of ",
                                  first.file.expected.size, " bytes, ", listed.item.text(), " ",
                                  file.expected.strongest().second, " of ", file.expected.size));
    }
    return;
  }
  const auto [group, is_new] = groups_.emplace(content_hash(file.expected), end_);
  content_bytes_ += is_new ? file.expected.size : 0;
  places_.push_back({group->second, end_});
  bytes_ += file.expected.size;
  const auto record = record_of(listed);
  end_ += record.size();
  waiting_ += record;
  if (waiting_.size() >= piece_size) {
    spool_.write(waiting_);
    waiting_.clear();
  }
}

/// The window gets all that is there from `start` on, as far as it has room.
void FileSpool::fill(Window& window, std::uint64_t start) const {
  const auto written = end_ - waiting_.size();
  window.start = start;
  window.bytes.resize(start < written ? window.room : 0);
  if (start < written) {
    window.bytes.resize(spool_.read_at(window.bytes, start));
  }
  const auto next = start + window.bytes.size();
  if (next >= written && next < end_) {
    window.bytes += waiting_.substr(next - written);
  }
}

/// Most lines are read one after the other: they share a window.
std::string_view FileSpool::line_at(std::uint64_t offset, Window& window) const {
  const auto rest = [&] {
    const auto skipped = offset - window.start;
    const bool inside = offset >= window.start && skipped < window.bytes.size();
    return inside ? std::string_view(window.bytes).substr(skipped) : std::string_view();
  };
  while (rest().find('\n') == std::string_view::npos) {
    const auto had = rest().size();
    window.room = std::max(window.room, 2 * had);
    fill(window, offset);
    if (rest().size() == had) {
      throw base::Error(base::Errc::failed, base::cat(spool_.name(), ": is cut short"));
    }
  }
  return rest().substr(0, rest().find('\n'));
}

ListedFile FileSpool::read(std::uint64_t offset, Window& window) const {
  const auto parts = base::split(line_at(offset, window), '\t');
  if (parts.size() != fields) {
    throw base::Error(base::Errc::internal, base::cat(spool_.name(), ": does not read back"));
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
  Window window{window_size};
  for (const auto& place : places) {
    visit(read(place.offset, window));
  }
}

}  // namespace sstream

#include "sstream/verify/hash_memory.h"

#include <algorithm>
#include <atomic>

#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace sstream {

namespace {

constexpr const char* file_name = "verified";
constexpr std::string_view first_line = "meph2 verified files 1";
/// File systems round times to a tick; git calls such files racily clean.
constexpr std::chrono::seconds settled{2};

std::uint64_t key_of(const struct stat& status, const Checksums& expected) {
  return io::fingerprint64(base::cat(status.st_ino, ' ', status.st_size, ' ', status.st_mtim.tv_sec,
                                     '.', status.st_mtim.tv_nsec, ' ', status.st_ctim.tv_sec, '.',
                                     status.st_ctim.tv_nsec, ' ', expected.size, ' ', expected.md5,
                                     ' ', expected.sha256, ' ', expected.sha512));
}

}  // namespace

VerifiedFiles VerifiedFiles::load(const Repository& repository) {
  VerifiedFiles files;
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), file_name)) {
    return files;
  }
  auto file = base::open_file_at(repository.private_dir(), file_name, O_RDONLY | O_NOFOLLOW);
  const auto text = base::read_all(file);
  std::string_view rest = text;
  const auto next = [&] {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return line;
  };
  if (next() != first_line) {
    return files;
  }
  files.entries_.reserve(static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')));
  while (!rest.empty()) {
    const auto line = next();
    const auto space = line.find(' ');
    const auto key = base::parse_decimal(line.substr(0, space));
    const auto when =
        space == line.npos ? std::nullopt : base::parse_decimal(line.substr(space + 1));
    if (!key || !when) {
      return {};
    }
    files.entries_.emplace(*key, Entry{base::Time(std::chrono::seconds(*when))});
  }
  return files;
}

void VerifiedFiles::add(const struct stat& status, const Checksums& expected, base::Time now) {
  const base::Time touched{std::chrono::seconds(status.st_ctim.tv_sec)};
  if (touched + settled < now) {
    entries_[key_of(status, expected)] = {now, true};
    changed_ = true;
  }
}

std::optional<base::Time> VerifiedFiles::keep(const struct stat& status,
                                              const Checksums& expected) {
  const auto found = entries_.find(key_of(status, expected));
  if (found == entries_.end()) {
    return std::nullopt;
  }
  // Two names of one file are one entry.
  std::atomic_ref(found->second.current).store(true, std::memory_order_relaxed);
  return found->second.when;
}

void VerifiedFiles::save(const Repository& repository) const {
  const bool all_current = std::all_of(entries_.begin(), entries_.end(),
                                       [](const auto& entry) { return entry.second.current; });
  if (!changed_ && all_current) {
    return;
  }
  base::AtomicFile file(repository.private_dir(), file_name);
  std::string text(first_line);
  text += '\n';
  for (const auto& [key, entry] : entries_) {
    if (!entry.current) {
      continue;
    }
    text += base::cat(key, ' ', entry.when.time_since_epoch().count(), '\n');
    constexpr std::size_t chunk = 1U << 16U;
    if (text.size() >= chunk) {
      file.file().write(text);
      text.clear();
    }
  }
  file.file().write(text);
  file.commit();
}

}  // namespace sstream

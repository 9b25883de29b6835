#include "sstream/verified_files.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/strings.h"
#include "io/fingerprint.h"

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
  while (!rest.empty()) {
    const auto line = next();
    const auto space = line.find(' ');
    const auto key = base::parse_decimal(line.substr(0, space));
    const auto when =
        space == line.npos ? std::nullopt : base::parse_decimal(line.substr(space + 1));
    if (!key || !when) {
      return {};
    }
    files.known_.emplace(*key, base::Time(std::chrono::seconds(*when)));
  }
  return files;
}

std::optional<base::Time> VerifiedFiles::when(const struct stat& status,
                                              const Checksums& expected) const {
  const auto found = known_.find(key_of(status, expected));
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void VerifiedFiles::add(const struct stat& status, const Checksums& expected, base::Time now) {
  const base::Time touched{std::chrono::seconds(status.st_ctim.tv_sec)};
  if (touched + settled < now) {
    current_[key_of(status, expected)] = now;
  }
}

void VerifiedFiles::keep(const struct stat& status, const Checksums& expected) {
  const auto key = key_of(status, expected);
  const auto found = known_.find(key);
  if (found != known_.end()) {
    current_.emplace(key, found->second);
  }
}

void VerifiedFiles::save(const Repository& repository) const {
  if (current_ == known_) {
    return;
  }
  base::AtomicFile file(repository.private_dir(), file_name);
  std::string text(first_line);
  text += '\n';
  for (const auto& [key, when] : current_) {
    text += base::cat(key, ' ', when.time_since_epoch().count(), '\n');
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

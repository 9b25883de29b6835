#include "sstream/repository/published_keyring.h"

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/beneath.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::uint64_t largest_keyring = 16U << 20U;

std::optional<std::string> read(const Repository& repository, const char* name) {
  if (repository.root() < 0 || !base::exists_at(repository.root(), name)) {
    return std::nullopt;
  }
  auto file = base::open_beneath(repository.root(), name, O_RDONLY);
  return base::read_all(file, largest_keyring);
}

}  // namespace

std::optional<io::Keyring> published_keyring(const Repository& repository) {
  auto bytes = read(repository, keyring_file);
  if (!bytes) {
    return std::nullopt;
  }
  return io::Keyring::from_bytes(std::move(*bytes),
                                 base::cat(repository.path(), "/", keyring_file));
}

bool is_published(const Repository& repository, const io::Keyring& keyring) {
  return read(repository, keyring_file) == keyring.binary() &&
         read(repository, armored_keyring_file) == keyring.armored();
}

void publish_keyring(const Repository& repository, const io::Keyring& keyring) {
  try {
    base::replace_file(repository.root(), keyring_file, keyring.binary());
    base::replace_file(repository.root(), armored_keyring_file, keyring.armored());
  } catch (const base::Error& error) {
    if (read(repository, keyring_file) != keyring.binary()) {
      throw;
    }
    throw error.becomes(base::Errc::cleanup_incomplete,
                        base::cat(keyring_file, " is published, ", armored_keyring_file,
                                  " perhaps not; run this again"));
  }
}

}  // namespace sstream

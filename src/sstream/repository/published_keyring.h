#pragma once

#include <optional>

#include "io/openpgp/openpgp.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// Where readers find the keys of a stream, beside the data: as MAAS and gpgv take it, and as juju
/// does.
inline constexpr const char* keyring_file = "keyring.gpg";
inline constexpr const char* armored_keyring_file = "keyring.asc";

/// The keyring that is published; nullopt without one. Error(untrusted) where it is none.
std::optional<io::Keyring> published_keyring(const Repository& repository);

/// Whether both files are there and say just this.
bool is_published(const Repository& repository, const io::Keyring& keyring);

/// Replaces both files, each in one step. Error(cleanup_incomplete) for what fails after the first
/// one is there.
void publish_keyring(const Repository& repository, const io::Keyring& keyring);

}  // namespace sstream

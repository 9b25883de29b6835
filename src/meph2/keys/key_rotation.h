#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sstream/publish/publication.h"
#include "sstream/repository/repository.h"

namespace meph2 {

/// The key that is to sign a repository next; `.data/.sstream/rotation.json`.
struct Rotation {
  std::string key;        ///< fingerprint
  std::string announced;  ///< since when readers can have it, RFC 2822
};

/// nullopt where no key was announced. Error(failed) for a file that is none of ours.
std::optional<Rotation> read_rotation(const sstream::Repository& repository);

struct RotateOptions {
  std::string target;                                ///< data directory
  std::chrono::seconds grace{std::chrono::days(7)};  ///< how long readers get to take the keyring
  bool dry_run = false;
  std::chrono::seconds lock_timeout{60};
};

struct RotateResult {
  bool changed = false;
  std::string key;                   ///< that signs afterwards
  std::vector<std::string> keyring;  ///< fingerprints that are published
  Rotation next;                     ///< of an announcement
  sstream::PublishResult published;  ///< of a switch
};

/// A key is changed in two steps, and never by two signatures in one file: readers that lack one of
/// the two keys refuse such a file (gpgv). First the keyring beside the data
/// (sstream::keyring_file) gets the new key, too; it must be able to sign. Announcing the same
/// again changes nothing. Error(refused) where the stream is not well signed by the key that it
/// has.
RotateResult announce_key(const RotateOptions& options, const std::string& key,
                          const sstream::Context& context);

/// Then, when the keyring has been out for `grace`, all is signed anew with the announced key, in
/// one transaction. Error(refused) before that, without an announcement, and where the published
/// keyring lacks one of the two.
RotateResult switch_key(const RotateOptions& options, const sstream::Context& context);

/// Publishes the keyring with the key that signs and no other: after a switch, in place of one, or
/// for the first time.
RotateResult finish_rotation(const RotateOptions& options, const sstream::Context& context);

}  // namespace meph2

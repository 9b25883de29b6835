#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/openpgp/openpgp.h"
#include "sstream/repository/context.h"

namespace meph2 {

struct KeyStatusOptions {
  std::string target;   ///< data directory
  std::string keyring;  ///< to verify with; empty: the published one and the key that signs here
};

/// What a stream is signed with.
struct KeyStatus {
  struct File {
    std::string name;         ///< below the data directory
    std::string state;        ///< "good", "bad" or "missing"
    std::string fingerprint;  ///< of the primary key that signed, where it is good
    std::string reason;       ///< where it is not
  };

  struct Key {
    io::KeyInfo info;
    std::optional<std::int64_t> days;  ///< until it ends; nullopt: it does not
    bool signs = false;                ///< a file of the stream
    bool published = false;            ///< is in the keyring that readers find beside the data
  };

  std::vector<File> files;
  std::vector<Key> keys;
  std::string signer;                 ///< the key that this repository is signed with; empty: none
  std::string announced;              ///< the key that is to sign next; empty: none
  std::string announced_on;           ///< RFC 2822
  std::vector<std::string> problems;  ///< what somebody has to do something about
};

/// Looks at both signatures of every document, and at the keys. Problems are what is not signed or
/// not well, keys that end within 30 days, and a published keyring that lacks a key that signs.
/// Changes nothing. Error(not_found) without a stream, Error(untrusted) for a keyring that is none.
KeyStatus key_status(const KeyStatusOptions& options, const sstream::Context& context);

/// The public key of the GnuPG home that is named, or that would sign: binary, or armored.
/// Error(not_found) or Error(failed) where there is none.
std::string export_key(const std::string& key, bool armored, const sstream::Context& context);

}  // namespace meph2

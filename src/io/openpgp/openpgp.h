#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace io {

/// The keys that a source or a repository is trusted by: the full fingerprints (primary keys and
/// their signing subkeys) in one keyring file. Armored and binary exports and keybox files are
/// accepted.
class Keyring {
 public:
  /// Error(untrusted) when the file is absent, unreadable, empty or no keyring.
  static Keyring load(const std::string& path);
  /// From bytes in memory (a binary or armored export).
  static Keyring from_bytes(std::string bytes, std::string name);
  /// One public key of the user's GnuPG home (GNUPGHOME). Error(not_found) when it is not there.
  static Keyring of_user(const std::string& fingerprint, const base::Clock& clock);

  const std::string& name() const { return name_; }

  /// The keyring as gpgv wants it: binary, dearmored.
  const std::string& binary() const { return binary_; }

  /// The same for readers that want it as text (juju).
  std::string armored() const;

 private:
  std::string name_;
  std::string binary_;
};

struct Signature {
  std::string fingerprint;          ///< of the (sub)key that signed, upper-case hex
  std::string primary_fingerprint;  ///< of the primary key it belongs to
  base::Time made;
  std::optional<base::Time> key_expires;
};

struct Verified {
  std::string
      text;  ///< what was signed, as the verifier handed it out: never cut from the file by us
  Signature signature;
};

/// What a key says about itself.
struct KeyInfo {
  std::string fingerprint;  ///< of the primary key
  std::string user_id;      ///< the first one; as its owner wrote it, not fit for a terminal
  std::string algorithm;    ///< of the primary key: "ed25519", "rsa3072"
  base::Time created;
  std::optional<base::Time> expires;  ///< when nothing of it can sign any more
  bool revoked = false;
};

/// How many signatures a message may bear.
enum class Signers : std::uint8_t {
  one,  ///< exactly one
  /// At least one that is good; those by keys that the keyring lacks, or whose time is over, do not
  /// count, as archives of packages sign with old and new keys at once. A bad one still refuses.
  any,
};

/// Decides what counts as signed: docs/architecture.md, "What counts as signed". Exactly one
/// good signature by a key of the keyring; the exit status of a program is never the verdict.
/// Refuses (Error(untrusted), with the reason) expired and revoked keys, expired signatures, weak
/// digests (MD5, SHA-1), signatures dated in the future, second signatures (but see Signers), text
/// around the block,
/// armor headers other than one "Hash:", inline messages offered as clear-signed ones, lines longer
/// than 19,000 bytes.
class Verifier {
 public:
  Verifier(Keyring keyring, const base::Clock& clock, Signers signers = Signers::one);
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;
  ~Verifier();

  /// `name` is for messages.
  Verified verify_clearsigned(std::string_view message, const std::string& name) const;
  /// The same for those who know what the message says: gpg takes twice as long to give its text.
  Signature verify_clear_signature(std::string_view message, const std::string& name) const;
  Signature verify_detached(std::string_view data, std::string_view signature,
                            const std::string& name) const;

  /// The keys of the keyring, in its order.
  std::vector<KeyInfo> keys() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Signs with one secret key of the user's GnuPG home (GNUPGHOME). Never asks on a terminal, never
/// falls back to another key.
class Signer {
 public:
  /// `key`: fingerprint, key id or user id; empty means $SS_GPG_DEFAULT_KEY, else the home's
  /// default key. Error(failed) naming the key when it is absent, expired, revoked, ambiguous or
  /// has no secret part.
  Signer(const std::string& key, const base::Clock& clock);
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  ~Signer();

  /// Of the primary key.
  const std::string& fingerprint() const;
  std::optional<base::Time> expires() const;

  /// A clear-signed message whose armor has exactly one "Hash:" header.
  std::string clearsign(std::string_view text) const;
  /// The same, handed on as gpg writes it: whoever keeps it verifies it.
  void clearsign(std::string_view text, const std::function<void(std::string_view)>& write) const;
  /// An ASCII-armored detached signature.
  std::string sign_detached(std::string_view data) const;
  /// The public key: binary (MAAS, gpgv) or armored (juju).
  std::string export_key(bool armored) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace io

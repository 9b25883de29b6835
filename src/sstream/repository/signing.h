#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/openpgp/openpgp.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// A signing key that ends sooner is warned about.
inline constexpr auto key_expiry_warning = std::chrono::days(30);

/// What is wrong with the two signatures of a document; nullopt: nothing.
struct SignatureFaults {
  std::optional<std::string> detached;  ///< X.json.gpg
  std::optional<std::string> clear;     ///< X.sjson, or it says something else than X.json
  std::optional<io::Signature> detached_by = {};  ///< whose signature is good
  std::optional<io::Signature> clear_by = {};

  explicit operator bool() const { return detached || clear; }

  /// One of them is good, so the document is what the key's owner signed.
  bool vouched() const { return !detached || !clear; }

  std::string text() const;
};

/// Checks the signatures of the documents of one generation: X.json.gpg (detached) and X.sjson
/// (clear-signed; an index with its paths rewritten to .sjson, docs/format.md 3.2).
class DocumentVerifier {
 public:
  DocumentVerifier(io::Keyring keyring, const base::Clock& clock);

  /// Of directory/`name`: both must be there, good, by a key of the keyring and over these very
  /// bytes.
  SignatureFaults faults(int directory, const std::string& name) const;

  /// Of one kind, over `text` (the document's content): Error(untrusted) unless it is good.
  io::Signature detached(int directory, const std::string& name, const std::string& text) const;
  io::Signature clear(int directory, const std::string& name, const std::string& text) const;

 private:
  io::Verifier verifier_;
};

/// Signs and checks the documents of one generation with one key.
class DocumentSigner {
 public:
  /// Error(failed) when the key cannot sign; Error(refused) when the repository is signed by
  /// another key (`pinned`, from its state; empty: any will do): no silent second key. Warns of a
  /// key that ends within 30 days.
  DocumentSigner(const std::string& key, const std::string& pinned, const Context& context);

  const std::string& fingerprint() const { return signer_.fingerprint(); }

  /// Write one kind of signature of each of these documents beside it, 0644, fsynced, and read it
  /// back: Error(internal) for one that does not verify. The two may run side by side; clear
  /// signatures take several times as long. A stop request ends them between two documents.
  void sign_clear(int directory, const std::vector<std::string>& names,
                  const std::stop_token& stop) const;
  void sign_detached(int directory, const std::vector<std::string>& names,
                     const std::stop_token& stop) const;

  /// DocumentVerifier's, with our key alone.
  SignatureFaults faults(int directory, const std::string& name) const {
    return verifier_.faults(directory, name);
  }

 private:
  io::Signer signer_;
  DocumentVerifier verifier_;
};

/// The text of a clear-signed message, which nobody verifies here: for those who do not ask whose
/// it is. nullopt: it is no such message.
std::optional<std::string> unverified_text(std::string_view message);

/// "X.json" -> "X.sjson".
std::string signed_name(const std::string& name);

/// The names of a document's signature files.
bool is_signature_of(const std::string& file, const std::string& document);

}  // namespace sstream

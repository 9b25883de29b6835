#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "io/openpgp.h"
#include "sstream/repository.h"

namespace sstream {

/// A signing key that ends sooner is warned about.
inline constexpr auto key_expiry_warning = std::chrono::days(30);

/// Signs and checks the documents of one generation with one key: X.json gets X.json.gpg (detached)
/// and X.sjson (clear-signed; an index with its paths rewritten to .sjson, streams.md 3.2).
class DocumentSigner {
 public:
  /// Error(failed) when the key cannot sign; Error(refused) when the repository is signed by
  /// another key
  /// (`pinned`, from its state): no silent second key. Warns of a key that ends within 30 days.
  DocumentSigner(const std::string& key, const std::string& pinned, const Context& context);

  const std::string& fingerprint() const { return signer_.fingerprint(); }

  /// Writes both signatures of directory/`name` beside it, 0644, fsynced.
  void sign(int directory, const std::string& name) const;

  /// nullopt when both signatures of directory/`name` are there, good, by our key and over these
  /// very bytes; else what is wrong with them.
  std::optional<std::string> fault(int directory, const std::string& name) const;

 private:
  io::Signer signer_;
  io::Verifier verifier_;
};

/// "X.json" -> "X.sjson".
std::string signed_name(const std::string& name);

/// The names of a document's signature files.
bool is_signature_of(const std::string& file, const std::string& document);

}  // namespace sstream

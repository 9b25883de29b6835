#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "io/hash/digest.h"

namespace sstream {

class Item;

/// What metadata promises of a file's content: size and digests (docs/format.md 2.6). Unlike the
/// established tools all digests given are checked, not only the strongest.
struct Checksums {
  std::uint64_t size = 0;
  std::string md5;  ///< lower-case hex, empty: not given
  std::string sha256;
  std::string sha512;

  bool operator==(const Checksums&) const = default;

  /// The strongest one given: algorithm and value.
  std::pair<io::Algorithm, std::string> strongest() const;

  /// From an item's (inherited) tags. Error(untrusted) for a missing or malformed size, a digest of
  /// the wrong length or not hex, or none of sha256 and sha512 (md5 alone only with `allow_md5`).
  /// Upper-case digests are lowered, a numeric string is a size.
  static Checksums of(const Item& item, bool allow_md5 = false);
};

/// Computes all digests that `expected` has in one pass; compare with verify().
class ChecksumVerifier {
 public:
  explicit ChecksumVerifier(const Checksums& expected);
  void update(std::string_view bytes);
  /// Error(untrusted) "NAME: sha256 is X, must be Y" or "...: N bytes, must be M".
  void verify(const std::string& name);

 private:
  struct Part {
    const char* name;
    std::string expected;
    io::Digest digest;
  };

  std::uint64_t size_;
  std::uint64_t seen_ = 0;
  std::vector<Part> parts_;
};

/// Reads the whole file (from its start) and verifies it.
void verify_file(base::File& file, const Checksums& expected, const std::stop_token& stop = {});

}  // namespace sstream

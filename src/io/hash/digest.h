#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/fs/file.h"

struct evp_md_ctx_st;  // OpenSSL's

namespace io {

enum class Algorithm : std::uint8_t { md5, sha1, sha256, sha512 };

/// One message digest (OpenSSL EVP). `hex()` ends it.
class Digest {
 public:
  explicit Digest(Algorithm algorithm);

  void update(std::string_view bytes);

  /// Lower-case hex; the digest cannot be used afterwards.
  std::string hex();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

std::string digest_hex(Algorithm algorithm, std::string_view bytes);

/// Of the whole file, read once from its start; `size` receives the number of bytes read. A stop
/// request ends it (base::Stopped).
std::string digest_file(Algorithm algorithm, base::File& file, std::uint64_t* size = nullptr,
                        const std::stop_token& stop = {});

}  // namespace io

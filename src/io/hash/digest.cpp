#include "io/hash/digest.h"

#include <array>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"

namespace io {

namespace {

/// Fetched once: looking an algorithm up costs more than hashing a small buffer.
const EVP_MD* method_of(Algorithm algorithm) {
  static const std::array<EVP_MD*, 4> methods = {
      EVP_MD_fetch(nullptr, "MD5", nullptr), EVP_MD_fetch(nullptr, "SHA1", nullptr),
      EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  return methods.at(static_cast<std::size_t>(algorithm));
}

void require(bool good) {
  if (!good) {
    throw base::Error(base::Errc::internal, "message digest: OpenSSL refused");
  }
}

}  // namespace

Digest::Digest(Algorithm algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  const EVP_MD* method = method_of(algorithm);
  require(context_ && method != nullptr && EVP_DigestInit_ex(context_.get(), method, nullptr) == 1);
}

void Digest::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Digest::hex() {
  std::array<char, EVP_MAX_MD_SIZE> value{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_.get(),
                             reinterpret_cast<unsigned char*>(value.data()),  // NOLINT: EVP's type
                             &size) == 1);
  return base::to_hex(std::string_view(value.data(), size));
}

std::string digest_hex(Algorithm algorithm, std::string_view bytes) {
  Digest digest(algorithm);
  digest.update(bytes);
  return digest.hex();
}

std::string digest_file(Algorithm algorithm, base::File& file, std::uint64_t* size,
                        const std::stop_token& stop) {
  Digest digest(algorithm);
  std::string buffer(1U << 18U, '\0');
  std::uint64_t total = 0;
  file.seek(0);
  while (const auto count = file.read(buffer)) {
    base::check_stop(stop);
    digest.update(std::string_view(buffer).substr(0, count));
    total += count;
  }
  if (size != nullptr) {
    *size = total;
  }
  return digest.hex();
}

}  // namespace io

#include "io/hash/fingerprint.h"

#include <array>
#include <memory>

#include <xxhash.h>

#include "base/strings.h"

namespace io {

namespace {

std::string canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes{};
  XXH128_canonicalFromHash(&bytes, hash);
  return base::to_hex(std::string_view(reinterpret_cast<const char*>(bytes.digest),  // NOLINT
                                       sizeof bytes.digest));
}

}  // namespace

std::string fingerprint(std::string_view bytes) {
  return canonical(XXH3_128bits(bytes.data(), bytes.size()));
}

std::uint64_t fingerprint64(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string fingerprint_file(base::File& file) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::string buffer(1U << 18U, '\0');
  file.seek(0);
  while (const auto count = file.read(buffer)) {
    XXH3_128bits_update(state.get(), buffer.data(), count);
  }
  return canonical(XXH3_128bits_digest(state.get()));
}

}  // namespace io

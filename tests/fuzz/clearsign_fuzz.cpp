// What a verifier may be shown. A message without fault is in the one plain form: another byte
// before or behind it is a fault, and its text could be signed.
#include <string>

#include "base/strings.h"
#include "io/openpgp/armor.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace io::openpgp;

void clear(const std::string& message) {
  if (clearsigned_fault(message)) {
    return;
  }
  fuzz::require(message.starts_with("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA"));
  fuzz::require(message.ends_with("-----END PGP SIGNATURE-----\n"));
  fuzz::require(message.find('\r') == std::string::npos);
  for (const auto* extra : {" ", "\n", "x"}) {
    fuzz::require(clearsigned_fault(base::cat(extra, message)).has_value());
    fuzz::require(clearsigned_fault(base::cat(message, extra)).has_value());
  }
  fuzz::require(clearsigned_fault(message + message).has_value());
  fuzz::require(clearsigned_fault(message.substr(0, message.size() - 1)).has_value());
}

void detached(const std::string& signature) {
  if (!detached_fault(signature)) {
    fuzz::require(detached_fault(signature + "x").has_value());
    fuzz::require(detached_fault(signature + signature).has_value());
  }
}

void packets(std::string_view bytes) {
  const auto parts = parse_packets(bytes);
  std::size_t sum = 0;
  for (const auto& packet : parts.value_or(std::vector<Packet>{})) {
    fuzz::require(packet.tag != 0 && packet.tag < 64);
    sum += packet.body.size() + 2;
  }
  fuzz::require(sum <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  clear(text);
  detached(text);
  packets(text);
  if (!unsignable_text_fault(text)) {
    fuzz::require(text.find('\r') == std::string::npos && !text.ends_with(' '));
  }
  fuzz::refused_or_done(base::Errc::untrusted, [&] { packets(dearmor_keys(text)); });
  return 0;
}

#include <algorithm>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/openpgp/armor.h"
#include "io/openpgp/engine.h"
#include "io/openpgp/openpgp.h"

namespace io {

namespace {

// 10,000 keys with all their certifications are smaller.
constexpr std::uint64_t largest_keyring = 256U << 20U;
constexpr unsigned tag_secret_key = 5;
constexpr unsigned tag_public_key = 6;
constexpr unsigned tag_secret_subkey = 7;

[[noreturn]] void refuse_keyring(std::string_view reason) {
  throw base::Error(base::Errc::untrusted, std::string(reason));
}

bool is_keybox(std::string_view bytes) {
  return bytes.size() >= 32 && bytes.substr(8, 4) == "KBXf";
}

std::size_t big_endian32(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + 4) {
    refuse_keyring("a damaged keybox");
  }
  std::size_t value = 0;
  for (const char c : bytes.substr(at, 4)) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}

/// The key blocks inside a keybox (GnuPG kbx/keybox-blob.c): each blob starts with its length (4
/// bytes), type (2 is OpenPGP), version, flags (2 bytes), then offset and length of the key block.
std::string keys_of_keybox(std::string_view bytes) {
  constexpr char openpgp_blob = 2;
  std::string keys;
  while (!bytes.empty()) {
    const auto length = big_endian32(bytes, 0);
    if (length < 32 || length > bytes.size()) {
      refuse_keyring("a damaged keybox");
    }
    const auto blob = bytes.substr(0, length);
    if (blob[4] == openpgp_blob) {
      const auto at = big_endian32(blob, 8);
      const auto size = big_endian32(blob, 12);
      if (at > blob.size() || size > blob.size() - at) {
        refuse_keyring("a damaged keybox");
      }
      keys += blob.substr(at, size);
    }
    bytes.remove_prefix(length);
  }
  return keys;
}

std::string to_binary(std::string bytes) {
  if (bytes.empty()) {
    refuse_keyring("an empty keyring");
  }
  if (is_keybox(bytes)) {
    return keys_of_keybox(bytes);
  }
  return (bytes[0] & '\x80') != 0 ? std::move(bytes) : openpgp::dearmor_keys(bytes);
}

void require_public_keys(std::string_view binary) {
  const auto packets = openpgp::parse_packets(binary);
  if (!packets) {
    refuse_keyring("not a keyring: a damaged or unknown OpenPGP packet");
  }
  const auto has = [&](unsigned tag) {
    return std::any_of(packets->begin(), packets->end(),
                       [tag](const openpgp::Packet& packet) { return packet.tag == tag; });
  };
  if (has(tag_secret_key) || has(tag_secret_subkey)) {
    refuse_keyring("it holds a secret key; export the public keys");
  }
  if (packets->empty() || packets->front().tag != tag_public_key) {
    refuse_keyring("not a keyring: no public key in it");
  }
}

}  // namespace

Keyring Keyring::load(const std::string& path) {
  std::string bytes;
  try {
    bytes = base::read_file(path, largest_keyring);
  } catch (const base::Error& error) {
    throw base::Error(base::Errc::untrusted, base::cat("keyring: ", error.what()));
  }
  return from_bytes(std::move(bytes), path);
}

Keyring Keyring::from_bytes(std::string bytes, std::string name) {
  return base::with_context(base::cat("keyring ", name), [&] {
    Keyring keyring;
    keyring.binary_ = to_binary(std::move(bytes));
    require_public_keys(keyring.binary_);
    keyring.name_ = name;
    return keyring;
  });
}

std::string Keyring::armored() const {
  return openpgp::armor_keys(binary_);
}

Keyring Keyring::of_user(const std::string& fingerprint, const base::Clock& clock) {
  openpgp::Engine engine({}, clock);
  openpgp::OutputData output;
  const auto error = engine.run(0, [&](gpgme_ctx_t context) {
    return gpgme_op_export_start(context, fingerprint.c_str(), GPGME_EXPORT_MODE_MINIMAL,
                                 output.get());
  });
  auto bytes = output.take();
  if (error != 0 || bytes.empty()) {
    throw base::Error(base::Errc::not_found,
                      base::cat("key ", fingerprint, ": not in the GnuPG home"));
  }
  return from_bytes(std::move(bytes), base::cat("key ", fingerprint));
}

}  // namespace io

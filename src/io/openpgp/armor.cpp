#include "io/openpgp/armor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/strings.h"

namespace io::openpgp {

namespace {

constexpr std::string_view begin_signed = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view begin_signature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view end_signature = "-----END PGP SIGNATURE-----";
constexpr std::string_view begin_key = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view end_key = "-----END PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view begin_secret = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
// gpg cuts longer lines of a clear-signed message.
constexpr std::size_t longest_line = 19000;
constexpr std::size_t longest_armor_line = 100;
constexpr std::size_t longest_signature = 1U << 16U;

using Fault = std::optional<std::string>;

/// Hands out lines with their numbers; a last line without newline counts as missing.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) {
      return false;
    }
    line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++number_;
    return true;
  }

  std::string_view rest() const { return rest_; }

  std::string fault(std::string_view reason) const {
    return base::cat("line ", number_, ": ", reason);
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

bool is_base64(std::string_view text) {
  return text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
         std::string_view::npos;
}

/// Strict, as EVP_DecodeBlock() is not: whole groups of four, padding only at the very end.
std::optional<std::string> decode_base64(std::string_view text) {
  const auto padding = text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U;
  if (text.empty() || text.size() % 4 != 0 || !is_base64(text.substr(0, text.size() - padding))) {
    return std::nullopt;
  }
  std::vector<unsigned char> out(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(out.data(),
                      reinterpret_cast<const unsigned char*>(text.data()),  // NOLINT: EVP's type
                      static_cast<int>(text.size()));
  if (length < 0 || static_cast<std::size_t>(length) != out.size()) {
    return std::nullopt;
  }
  return std::string(out.begin(), out.end() - padding);
}

std::string encode_base64(std::string_view bytes) {
  std::vector<unsigned char> out((bytes.size() + 2) / 3 * 4 + 1);
  const auto length =
      EVP_EncodeBlock(out.data(),
                      reinterpret_cast<const unsigned char*>(bytes.data()),  // NOLINT: EVP's type
                      static_cast<int>(bytes.size()));
  return std::string(out.begin(), out.begin() + length);
}

/// RFC 4880 section 6.1.
std::uint32_t crc24(std::string_view bytes) {
  std::uint32_t crc = 0xB704CE;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16U;
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc << 1U ^ ((crc & 0x800000U) != 0 ? 0x1864CFBU : 0U);
    }
  }
  return crc & 0xFFFFFFU;
}

std::string crc_bytes(std::string_view bytes) {
  const auto crc = crc24(bytes);
  return {static_cast<char>(crc >> 16U), static_cast<char>(crc >> 8U & 0xFFU),
          static_cast<char>(crc & 0xFFU)};
}

bool is_armor_header(std::string_view line) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  return (line.starts_with("Version: ") || line.starts_with("Comment: ")) &&
         std::all_of(line.begin(), line.end(), printable) && line.back() != ' ';
}

/// The rest of an armored block, after its BEGIN line, through its END line.
Fault read_armor(Lines& lines, std::string_view end, std::string& bytes) {
  std::string_view line;
  while (lines.next(line) && is_armor_header(line)) {
  }
  if (!line.empty()) {
    return lines.fault("not an armor header that gpg writes (Version, Comment) nor the empty line");
  }
  std::string text;
  std::string sum;
  while (lines.next(line) && line != end) {
    if (!sum.empty() || line.empty() || line.size() > longest_armor_line) {
      return lines.fault("not a line of armored data");
    }
    if (line.front() == '=') {
      sum = line;
    } else if (std::all_of(line.begin(), line.end(), [](char c) {
                 return c == '=' || is_base64({&c, 1});
               })) {
      text += line;
    } else {
      return lines.fault("not a line of armored data");
    }
  }
  if (line != end) {
    return "cut off: no END line";
  }
  auto decoded = decode_base64(text);
  if (!decoded || (!sum.empty() && decode_base64(sum.substr(1)) != crc_bytes(*decoded))) {
    return lines.fault("the armored data is damaged");
  }
  bytes = std::move(*decoded);
  return std::nullopt;
}

/// By the number that RFC 4880 section 9.4 gives it; null for a strong one.
const char* weak_digest_name(unsigned algorithm) {
  static const std::map<unsigned, const char*> names = {
      {1, "MD5"},   {2, "SHA-1"},  {3, "RIPEMD-160"}, {8, nullptr},
      {9, nullptr}, {10, nullptr}, {11, "SHA-224"}};
  const auto found = names.find(algorithm);
  return found != names.end() ? found->second : "of an unknown kind";
}

Fault signature_fault(const Packet& packet, bool text) {
  const auto body = packet.body;
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(body[i]); };
  if (body.size() < 6 || (octet(0) != 4 && octet(0) != 5)) {
    return "a signature of an unsupported version";
  }
  if (octet(1) != 0x01 && (text || octet(1) != 0x00)) {
    return "a signature that does not sign a document like this";
  }
  if (const auto* weak = weak_digest_name(octet(3))) {
    return base::cat("weak digest: ", weak);
  }
  return std::nullopt;
}

/// Document signatures of strong digests, exactly one or up to `most`. `text` demands the class of
/// clear-signing.
Fault signature_packet_fault(std::string_view bytes, bool text, std::size_t most) {
  const auto packets = parse_packets(bytes);
  if (!packets || packets->empty()) {
    return "no OpenPGP signature";
  }
  for (const auto& packet : *packets) {
    if (packet.tag != 2) {
      return "something other than a signature where the signature should be";
    }
  }
  if (packets->size() > most) {
    return base::cat(packets->size(), " signatures where there should be ",
                     most == 1 ? std::string("one") : base::cat("at most ", most));
  }
  for (const auto& packet : *packets) {
    if (auto fault = signature_fault(packet, text)) {
      return fault;
    }
  }
  return std::nullopt;
}

Fault first_line_fault(std::string_view message) {
  if (message.empty()) {
    return "empty, not signed";
  }
  if (message.starts_with("\xEF\xBB\xBF")) {
    return "starts with a byte order mark";
  }
  const auto line = message.substr(0, message.find('\n'));
  if (line == begin_signed) {
    return std::nullopt;
  }
  if (line.starts_with(begin_signed)) {
    return line.ends_with('\r') ? "lines end in CR LF" : "line 1: text after the BEGIN line";
  }
  if (line.starts_with("-----BEGIN PGP MESSAGE") || (message[0] & '\x80') != 0) {
    return "an inline OpenPGP message, not a clear-signed one";
  }
  if (message.find(begin_signed) != std::string_view::npos) {
    return "text before the signed message";
  }
  return "not signed";
}

Fault digest_fault(std::string_view digest) {
  if (digest == "MD5" || digest == "SHA1" || digest == "RIPEMD160" || digest == "SHA224") {
    return base::cat("weak digest: ", digest);
  }
  if (digest != "SHA256" && digest != "SHA384" && digest != "SHA512") {
    return "not exactly one known digest after \"Hash:\"";
  }
  return std::nullopt;
}

/// Several signatures may need several digests: "SHA512, SHA256".
Fault header_fault(Lines& lines, std::size_t most) {
  std::string_view line;
  if (!lines.next(line) || !line.starts_with("Hash: ")) {
    return lines.fault("not a \"Hash:\" header");
  }
  const std::string named(line.substr(6));
  const auto digests = most > 1 ? base::split(base::replace_all(named, ", ", ","), ',')
                                : std::vector<std::string>{named};
  for (const auto& digest : digests) {
    if (const auto fault = digest_fault(digest)) {
      return lines.fault(*fault);
    }
  }
  if (!lines.next(line)) {
    return "cut off in its headers";
  }
  if (!line.empty()) {
    return lines.fault("something other than the empty line after the one \"Hash:\" header");
  }
  return std::nullopt;
}

/// Whether one of eight bytes is below 0x20.
bool has_low_byte(const char* bytes) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return ((word - ones * 0x20) & ~word & ones * 0x80) != 0;
}

/// The first control character but tabs. Documents of 100 MB are read for it, several times.
std::string_view::const_iterator find_control(std::string_view line) {
  std::size_t clean = 0;
  while (clean + 8 <= line.size() && !has_low_byte(line.data() + clean)) {
    clean += 8;
  }
  return std::find_if(line.begin() + static_cast<std::ptrdiff_t>(clean), line.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
}

const char* content_fault(std::string_view line) {
  if (line.size() > longest_line) {
    return "longer than 19,000 bytes";
  }
  const auto control = find_control(line);
  if (control != line.end()) {
    return *control == '\r' ? "a carriage return" : "a control character";
  }
  if (line.ends_with(' ') || line.ends_with('\t')) {
    return "trailing blanks, which a signature does not cover";
  }
  return nullptr;
}

const char* dash_fault(std::string_view line) {
  if (line.starts_with("- ")) {
    line.remove_prefix(2);
    const bool needed = line.starts_with("-") || line.starts_with("From ");
    return needed ? nullptr : "dash-escaped without need";
  }
  if (line.starts_with(begin_signed)) {
    return "a second signed message";
  }
  return line.starts_with(begin_signature) ? "text on the line of BEGIN PGP SIGNATURE"
                                           : "starts with an unescaped dash";
}

Fault body_fault(Lines& lines) {
  std::string_view line;
  while (lines.next(line)) {
    if (line == begin_signature) {
      return std::nullopt;
    }
    const auto* reason = content_fault(line);
    if (reason == nullptr && line.starts_with('-')) {
      reason = dash_fault(line);
    }
    if (reason != nullptr) {
      return lines.fault(reason);
    }
  }
  return "cut off: no signature block";
}

/// The block after its BEGIN line, with nothing behind it.
Fault signature_block_fault(Lines& lines, bool text, std::size_t most) {
  std::string bytes;
  if (lines.rest().size() > longest_signature) {
    return "more than a signature at its end";
  }
  if (auto fault = read_armor(lines, end_signature, bytes)) {
    return fault;
  }
  if (!lines.rest().empty()) {
    return lines.rest().find("-----BEGIN PGP SIGN") == std::string_view::npos
               ? "text after the signature"
               : "a second signature or message after the first";
  }
  return signature_packet_fault(bytes, text, most);
}

std::optional<std::size_t> big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  if (bytes.size() < at + count) {
    return std::nullopt;
  }
  std::size_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// Cuts one packet off the front; tag 0 means that there is none.
Packet take_packet(std::string_view& bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  unsigned tag = 0;
  std::size_t header = 0;
  std::optional<std::size_t> length;
  if ((lead & 0xC0U) == 0xC0U) {
    tag = lead & 0x3FU;
    const auto first = big_endian(bytes, 1, 1).value_or(224);
    if (first < 192) {
      header = 2;
      length = first;
    } else if (first < 224) {
      header = 3;
      length = big_endian(bytes, 1, 2);
      length = length ? std::optional(*length - (192U << 8U) + 192) : length;
    } else if (first == 255) {
      header = 6;
      length = big_endian(bytes, 2, 4);
    }
  } else if ((lead & 0x80U) != 0 && (lead & 3U) != 3) {
    tag = lead >> 2U & 0x0FU;
    const auto size = std::size_t{1} << (lead & 3U);
    header = 1 + size;
    length = big_endian(bytes, 1, size);
  }
  if (!length || bytes.size() - header < *length) {
    return {};
  }
  const Packet packet{tag, bytes.substr(header, *length)};
  bytes.remove_prefix(header + *length);
  return packet;
}

}  // namespace

std::optional<std::vector<Packet>> parse_packets(std::string_view bytes) {
  std::vector<Packet> packets;
  while (!bytes.empty()) {
    const auto packet = take_packet(bytes);
    if (packet.tag == 0) {
      return std::nullopt;
    }
    packets.push_back(packet);
  }
  return packets;
}

std::optional<std::string> clearsigned_fault(std::string_view message,
                                             std::size_t most_signatures) {
  if (auto fault = first_line_fault(message)) {
    return fault;
  }
  Lines lines(message);
  std::string_view first;
  if (!lines.next(first)) {
    return "cut off after its first line";
  }
  if (auto fault = header_fault(lines, most_signatures)) {
    return fault;
  }
  if (auto fault = body_fault(lines)) {
    return fault;
  }
  return signature_block_fault(lines, true, most_signatures);
}

std::optional<std::string> unsignable_text_fault(std::string_view text) {
  Lines lines(text);
  std::string_view line;
  while (lines.next(line)) {
    if (const auto* reason = content_fault(line)) {
      return lines.fault(reason);
    }
  }
  const auto* reason = content_fault(lines.rest());
  return reason != nullptr ? Fault(base::cat("last line: ", reason)) : std::nullopt;
}

std::optional<std::string> detached_fault(std::string_view signature, std::size_t most_signatures) {
  if (signature.empty()) {
    return "empty";
  }
  if ((signature[0] & '\x80') != 0) {
    return signature_packet_fault(signature, false, most_signatures);
  }
  Lines lines(signature);
  std::string_view first;
  if (!lines.next(first) || first != begin_signature) {
    return "not a detached signature";
  }
  return signature_block_fault(lines, false, most_signatures);
}

std::string armor_keys(std::string_view bytes) {
  constexpr std::size_t width = 64;
  auto text = base::cat(begin_key, "\n\n");
  const auto code = encode_base64(bytes);
  for (std::size_t at = 0; at < code.size(); at += width) {
    text += base::cat(code.substr(at, width), "\n");
  }
  return base::cat(text, "=", encode_base64(crc_bytes(bytes)), "\n", end_key, "\n");
}

std::string dearmor_keys(std::string_view text) {
  std::string keys;
  // Keyrings are edited by people: line ends of another system and a lost last newline are fine.
  const auto plain = base::replace_all(base::cat(text, "\n"), "\r\n", "\n");
  Lines lines(plain);
  std::string_view line;
  while (lines.next(line)) {
    if (line == begin_secret) {
      throw base::Error(base::Errc::untrusted, lines.fault("a secret key, not a keyring"));
    }
    if (line == begin_key) {
      std::string bytes;
      if (const auto fault = read_armor(lines, end_key, bytes)) {
        throw base::Error(base::Errc::untrusted, *fault);
      }
      keys += bytes;
    }
  }
  return keys;
}

}  // namespace io::openpgp

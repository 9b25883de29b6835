#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace io::openpgp {

/// Why a message is not one that we let a verifier see, or nullopt. Two parsers that look at the
/// same bytes can disagree about what was signed; these rules leave only the plain form, in which
/// they cannot: "-----BEGIN PGP SIGNED MESSAGE-----" first, one "Hash:" header of a strong digest,
/// an empty line, lines of at most 19,000 bytes without carriage returns, other controls or
/// trailing blanks, dashes escaped only where they must be, one signature block that holds exactly
/// one signature of a text (or up to `most_signatures`), nothing before and nothing after. (gpg
/// accepts all the other forms.)
std::optional<std::string> clearsigned_fault(std::string_view message,
                                             std::size_t most_signatures = 1);

/// The same for the text before it is signed: what clearsigning would change or refuse.
std::optional<std::string> unsignable_text_fault(std::string_view text);

/// The same for a detached signature: one armored block, or one binary signature packet.
std::optional<std::string> detached_fault(std::string_view signature,
                                          std::size_t most_signatures = 1);

/// The bytes of the armored public key blocks in a text, one after the other; text around them is
/// skipped, as gpg does. Throws Error(untrusted) with the reason.
std::string dearmor_keys(std::string_view text);

/// The armored public key block of these bytes.
std::string armor_keys(std::string_view bytes);

struct Packet {
  unsigned tag = 0;
  std::string_view body;
};

/// RFC 4880 section 4.2; nullopt when the bytes are not a sequence of whole packets. Partial and
/// indeterminate lengths, which neither keys nor signatures use, are refused.
std::optional<std::vector<Packet>> parse_packets(std::string_view bytes);

}  // namespace io::openpgp

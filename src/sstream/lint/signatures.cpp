#include "sstream/lint/signatures.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/openpgp/armor.h"
#include "sstream/format/index.h"
#include "sstream/repository/signing.h"

namespace sstream::lint {

namespace {

constexpr std::uint64_t largest_local_document = 512ULL << 20U;
constexpr std::size_t largest_parsed = 64U << 20U;
constexpr unsigned tag_public_key = 6;
constexpr unsigned char rsa = 1;

std::optional<std::string> read(StreamFiles& files, const std::string& path) {
  auto file = files.open(path);
  return file ? std::optional(base::read_all(*file, largest_local_document)) : std::nullopt;
}

/// MAAS and gpgv take binary keyrings, juju an armored key.
void check_form(std::string_view bytes, const std::string& name, bool& armored_copy,
                Report& report) {
  const bool armored = bytes.find("-----BEGIN PGP PUBLIC KEY BLOCK-----") != bytes.npos;
  armored_copy = armored_copy || armored;
  if (armored && name.ends_with(".gpg")) {
    report.add(engine::keyring_form, {name, {}},
               "is ASCII-armored; gpgv takes binary keyrings only (gpg --dearmor)");
  }
}

void check_algorithms(const std::string& binary, const std::string& name, Report& report) {
  for (const auto& packet :
       io::openpgp::parse_packets(binary).value_or(std::vector<io::openpgp::Packet>{})) {
    if (packet.tag == tag_public_key && packet.body.size() > 5 &&
        static_cast<unsigned char>(packet.body[5]) != rsa) {
      report.add(engine::key_algorithm, {name, {}},
                 "holds a key that is not RSA, which older juju cannot read");
    }
  }
}

/// How many signed it is told by the last block alone: two signers may well use two digests, which
/// the header then says first.
bool has_two_signers(std::string_view message) {
  const auto block = message.find("-----BEGIN PGP SIGNATURE-----");
  const auto fault =
      block == message.npos ? std::nullopt : io::openpgp::detached_fault(message.substr(block));
  return fault && (fault->find("signatures where there should be one") != fault->npos ||
                   fault->find("a second signature") != fault->npos);
}

void check_armor(std::string_view message, const std::string& name, Report& report) {
  if (const auto fault = io::openpgp::clearsigned_fault(message)) {
    report.add(has_two_signers(message) ? engine::one_signer : engine::armor_form, {name, {}},
               *fault);
  }
}

/// Byte by byte, without having the file in memory as well.
bool is_text_of(std::string_view text, base::File& file) {
  std::vector<char> buffer(262'144);
  std::uint64_t at = 0;
  while (const auto got = file.read_at(buffer, at)) {
    const std::string_view piece(buffer.data(), got);
    // The last newline belongs to the message, not to the text.
    const auto rest = text.substr(std::min<std::size_t>(at, text.size()));
    const bool last = piece.size() == rest.size() + 1 && piece.ends_with('\n');
    if (!rest.starts_with(last ? piece.substr(0, rest.size()) : piece)) {
      return false;
    }
    at += got;
  }
  return at >= text.size();
}

bool same_value(const std::string& signed_text, base::File& file) {
  if (is_text_of(signed_text, file)) {
    return true;
  }
  if (signed_text.size() > largest_parsed || file.size() > largest_parsed) {
    return false;
  }
  try {
    const auto clear = io::parse_json(signed_text, "signed");
    const auto expected = io::read_json(file);
    return clear == expected ||
           (expected.is_object() && expected.value("format", io::Json()) == "index:1.0" &&
            with_signed_paths(clear) == with_signed_paths(expected));
  } catch (const base::Error&) {
    return false;  // which of them is no JSON is said elsewhere
  }
}

}  // namespace

Keyrings::Keyrings(const std::vector<std::string>& files, const base::Clock& clock,
                   Report& report) {
  bool armored_copy = false;
  for (const auto& path : files) {
    const auto name = base::base_name(path);
    try {
      check_form(base::read_file(path, largest_local_document), name, armored_copy, report);
      auto keyring = io::Keyring::load(path);
      check_algorithms(keyring.binary(), name, report);
      verifiers_.push_back(std::make_unique<io::Verifier>(std::move(keyring), clock));
    } catch (const base::Error& error) {
      report.add(engine::keyring_form, {name, {}}, error.what());
    }
  }
  if (!files.empty() && !armored_copy) {
    report.add(engine::keyring_armored, {base::base_name(files.front()), {}},
               "there is no ASCII-armored copy (*.asc) beside it");
  }
}

template <typename Verify>
void Keyrings::any(const Verify& verify) const {
  for (std::size_t i = 0; i < verifiers_.size(); ++i) {
    try {
      verify(*verifiers_[i]);
      return;
    } catch (const base::Error& error) {
      if (error.code() != base::Errc::untrusted || i + 1 == verifiers_.size()) {
        throw;
      }
    }
  }
}

std::string Keyrings::clearsigned(std::string_view message, const std::string& name) const {
  std::string text;
  any([&](const io::Verifier& verifier) {
    text = verifier.verify_clearsigned(message, name).text;
  });
  return text;
}

void Keyrings::detached(std::string_view data, std::string_view signature,
                        const std::string& name) const {
  any([&](const io::Verifier& verifier) { verifier.verify_detached(data, signature, name); });
}

namespace {

/// Runs `work`; a signature that does not hold is a finding.
bool holds(const std::string& name, Report& report, const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;
    }
    report.add(engine::signature_bad, {name, {}}, error.what());
    return false;
  }
}

/// What X.sjson says: the verifier's word for it, or what stands there. nullopt: there is none.
std::optional<std::string> read_clearsigned(StreamFiles& files, const std::string& name,
                                            const Keyrings& keyrings, bool& trusted,
                                            Report& report) {
  const auto message = read(files, name);
  if (!message) {
    return std::nullopt;
  }
  check_armor(*message, name, report);
  std::string text;
  const bool good = !keyrings.empty() &&
                    holds(name, report, [&] { text = keyrings.clearsigned(*message, name); });
  if (!good) {
    text = unverified_text(*message).value_or("");
    trusted = trusted && keyrings.empty();
  }
  return text;
}

}  // namespace

SignedDocument check_signatures(StreamFiles& files, const std::string& path,
                                const Keyrings& keyrings, Report& report) {
  SignedDocument result;
  const auto clear_name = signed_name(path);
  if (auto text = read_clearsigned(files, clear_name, keyrings, result.trusted, report)) {
    result.clearsigned = true;
    result.text = std::move(*text);
    auto plain = files.open(path);
    result.differs = plain && !same_value(result.text, *plain);
    if (result.differs) {
      report.add(engine::signed_text_differs, {clear_name, {}},
                 base::cat("says something else than ", base::base_name(path)));
    }
    if (!path.ends_with("/index.json")) {
      result.text = {};  // large, and nobody asks for it
    }
  }
  if (const auto signature = read(files, path + ".gpg")) {
    result.detached = true;
    const auto plain = keyrings.empty() ? std::nullopt : read(files, path);
    result.trusted = (!plain || holds(path + ".gpg", report,
                                      [&] { keyrings.detached(*plain, *signature, path); })) &&
                     result.trusted;
  }
  return result;
}

}  // namespace sstream::lint

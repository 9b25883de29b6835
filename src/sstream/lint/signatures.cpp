#include "sstream/lint/signatures.h"

#include <algorithm>

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"
#include "io/openpgp_armor.h"
#include "sstream/index.h"
#include "sstream/signing.h"

namespace sstream::lint {

namespace {

constexpr std::uint64_t largest_document = 512ULL << 20U;
constexpr std::size_t largest_parsed = 64U << 20U;
constexpr unsigned tag_public_key = 6;
constexpr unsigned char rsa = 1;

std::optional<std::string> read(StreamFiles& files, const std::string& path) {
  auto file = files.open(path);
  return file ? std::optional(base::read_all(*file, largest_document)) : std::nullopt;
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

bool same_value(const std::string& signed_text, const std::string& plain) {
  if (signed_text == plain || signed_text + "\n" == plain) {
    return true;
  }
  if (signed_text.size() > largest_parsed || plain.size() > largest_parsed) {
    return false;
  }
  try {
    auto clear = io::parse_json(signed_text, "signed");
    const auto expected = io::parse_json(plain, "plain");
    return clear == expected ||
           (expected.is_object() && expected.value("format", io::Json()) == "index:1.0" &&
            with_signed_paths(clear) == with_signed_paths(expected));
  } catch (const base::Error&) {
    return false;  // which of them is no JSON is said elsewhere
  }
}

}  // namespace

std::string clearsigned_text(std::string_view message) {
  const auto start = message.find("\n\n");
  const auto end = message.find("\n-----BEGIN PGP SIGNATURE-----");
  if (start == message.npos || end == message.npos || end < start) {
    return {};
  }
  std::string text;
  text.reserve(end - start);
  for (auto at = start + 2; at <= end;) {
    const auto stop = message.find('\n', at);
    auto line = message.substr(at, stop - at + 1);
    if (line.starts_with("- ")) {
      line.remove_prefix(2);
    }
    text += line;
    at = stop + 1;
  }
  return text;
}

Keyrings::Keyrings(const std::vector<std::string>& files, const base::Clock& clock,
                   Report& report) {
  bool armored_copy = false;
  for (const auto& path : files) {
    const auto name = base::base_name(path);
    try {
      check_form(base::read_file(path, largest_document), name, armored_copy, report);
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

SignedDocument check_signatures(StreamFiles& files, const std::string& path,
                                const Keyrings& keyrings, Report& report) {
  SignedDocument result;
  const auto attempt = [&](const std::string& name, const auto& work) {
    try {
      work();
    } catch (const base::Error& error) {
      if (error.code() != base::Errc::untrusted) {
        throw;
      }
      report.add(engine::signature_bad, {name, {}}, error.what());
      result.trusted = false;
    }
  };
  const auto clear_name = signed_name(path);
  const auto plain = read(files, path);
  if (const auto message = read(files, clear_name)) {
    result.clearsigned = true;
    check_armor(*message, clear_name, report);
    result.text = clearsigned_text(*message);
    if (!keyrings.empty()) {
      attempt(clear_name, [&] { result.text = keyrings.clearsigned(*message, clear_name); });
    }
    result.differs = plain && !same_value(result.text, *plain);
    if (result.differs) {
      report.add(engine::signed_text_differs, {clear_name, {}},
                 base::cat("says something else than ", base::base_name(path)));
    }
  }
  if (const auto signature = read(files, path + ".gpg")) {
    result.detached = true;
    if (plain && !keyrings.empty()) {
      attempt(path + ".gpg", [&] { keyrings.detached(*plain, *signature, path); });
    }
  }
  return result;
}

}  // namespace sstream::lint

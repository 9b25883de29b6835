#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/openpgp/armor.h"
#include "io/openpgp/engine.h"
#include "io/openpgp/openpgp.h"

namespace io {

namespace {

/// Clocks of publishers may run ahead of ours by so much.
constexpr std::chrono::minutes clock_skew{5};

/// Signers::any; archives have two or three.
constexpr std::size_t most_signatures = 16;

// No agent, no network, no trust model: the keyring alone decides. gpg calls SHA-1 good otherwise.
constexpr std::string_view gpg_conf = R"(no-autostart
disable-dirmngr
no-auto-key-retrieve
no-auto-check-trustdb
trust-model always
lock-never
no-random-seed-file
weak-digest SHA1
weak-digest RIPEMD160
)";

[[noreturn]] void refuse(std::string reason) {
  throw base::Error(base::Errc::untrusted, std::move(reason));
}

base::Time time_of(unsigned long seconds) {
  return base::Time(std::chrono::seconds(seconds));
}

// Short, because socket names below a home may have about 100 bytes.
constexpr const char* homes = "/tmp";
constexpr const char* home_prefix = "mgpgv-";
constexpr const char* keyring_name = "pubring.gpg";
// A home is not locked in its first moments.
constexpr std::chrono::minutes youngest_left_over{10};

/// A home of ours whose process was killed: nobody holds the lock on its keyring.
bool is_left_over(int parent, const std::string& name) {
  if (!name.starts_with(home_prefix)) {
    return false;
  }
  const auto status = base::status_of(parent, name);
  const auto old = base::SystemClock().now() - youngest_left_over;
  // In a sticky directory nobody else can put something in the place of what is ours.
  if (!status || !S_ISDIR(status->st_mode) || status->st_uid != ::geteuid() ||
      base::Time(std::chrono::seconds(status->st_mtime)) > old) {
    return false;
  }
  const auto keyring = base::open_file_at(parent, base::cat(name, "/", keyring_name),
                                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  return ::flock(keyring.fd(), LOCK_EX | LOCK_NB) == 0;
}

void remove_left_over_homes() {
  const auto parent = base::open_directory(homes);
  for (const auto& name : base::list_directory(parent.fd())) {
    try {
      if (is_left_over(parent.fd(), name)) {
        base::remove_tree_at(parent.fd(), name);
      }
    } catch (const base::Error&) {  // somebody else removes it, or it is not ours after all
    }
  }
}

/// A signature as gpg saw it, kept apart from GPGME's list, which the look-up of a key throws away.
struct Found {
  _gpgme_signature verdict;
  std::string fingerprint;
};

/// What a keyring's key says about itself.
struct KeyFacts {
  std::string primary;
  std::optional<base::Time> expires;
  bool revoked = false;
};

KeyInfo info_of(const _gpgme_key& key) {
  const auto& primary = *key.subkeys;
  KeyInfo info;
  info.fingerprint = primary.fpr != nullptr ? primary.fpr : "";
  if (key.uids != nullptr && key.uids->uid != nullptr) {
    info.user_id = key.uids->uid;
  }
  const std::unique_ptr<char, void (*)(void*)> algorithm(gpgme_pubkey_algo_string(key.subkeys),
                                                         gpgme_free);
  info.algorithm = algorithm ? algorithm.get() : "unknown";
  info.created = time_of(static_cast<unsigned long>(primary.timestamp));
  info.expires = openpgp::signing_end(
      key, [](const auto& part) { return part.can_sign != 0 && part.revoked == 0; });
  info.revoked = primary.revoked != 0;
  return info;
}

}  // namespace

struct Verifier::State {
  State(Keyring keyring, const base::Clock& clock, Signers signers)
      : keyring_(std::move(keyring)),
        signers_(signers),
        lane_(prepare_home(), clock),
        detached_lane_(home_.path(), clock) {}

  /// `text`: where what was signed goes, nowhere if nullptr.
  Signature clearsigned(std::string_view message, openpgp::OutputData* text);
  Signature detached(std::string_view data, std::string_view signature);
  std::vector<KeyInfo> keys();

 private:
  std::string prepare_home();
  Signature judge(openpgp::Engine& engine);
  Signature judge_one(Found found, openpgp::Engine& engine);
  Signature judge_any(const std::vector<Found>& all, openpgp::Engine& engine);
  void require_good(const _gpgme_signature& signature) const;
  KeyFacts facts_of(const std::string& fingerprint, openpgp::Engine& engine);

  Keyring keyring_;
  Signers signers_;
  base::TempDir home_{home_prefix, homes};
  base::File lock_;
  openpgp::Lane lane_;
  openpgp::Lane detached_lane_;  ///< so that both signatures of a document are checked side by side
  std::mutex facts_mutex_;
  std::map<std::string, KeyFacts> facts_;
};

std::string Verifier::State::prepare_home() {
  const auto write = [&](const char* name, std::string_view content) {
    auto file =
        base::open_file(base::cat(home_.path(), "/", name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    file.write(content);
    return file;
  };
  // As this file the keyring needs no import, and so no agent and no second process.
  lock_ = write(keyring_name, keyring_.binary());
  ::flock(lock_.fd(), LOCK_SH | LOCK_NB);
  write("gpg.conf", gpg_conf).close();
  remove_left_over_homes();
  return home_.path();
}

Signature Verifier::State::clearsigned(std::string_view message, openpgp::OutputData* text) {
  if (auto fault =
          openpgp::clearsigned_fault(message, signers_ == Signers::any ? most_signatures : 1)) {
    refuse(std::move(*fault));
  }
  const std::lock_guard lock(lane_.mutex);
  const auto input = openpgp::input_of(message);
  const auto error = lane_.engine.run(message.size(), [&](gpgme_ctx_t context) {
    return gpgme_op_verify_start(context, input.get(), nullptr,
                                 text != nullptr ? text->get() : nullptr);
  });
  if (error != 0) {
    refuse(base::cat("gpg: ", openpgp::reason_of(error)));
  }
  return judge(lane_.engine);
}

Signature Verifier::State::detached(std::string_view data, std::string_view signature) {
  if (const auto fault =
          openpgp::detached_fault(signature, signers_ == Signers::any ? most_signatures : 1)) {
    refuse(base::cat("signature: ", *fault));
  }
  const std::lock_guard lock(detached_lane_.mutex);
  const auto block = openpgp::input_of(signature);
  const auto signed_data = openpgp::input_of(data);
  const auto error = detached_lane_.engine.run(data.size(), [&](gpgme_ctx_t context) {
    return gpgme_op_verify_start(context, block.get(), signed_data.get(), nullptr);
  });
  if (error != 0) {
    refuse(base::cat("gpg: ", openpgp::reason_of(error)));
  }
  return judge(detached_lane_.engine);
}

/// gpgme_op_verify succeeds for bad signatures and unknown keys too: only this decides.
Signature Verifier::State::judge(openpgp::Engine& engine) {
  const auto* result = gpgme_op_verify_result(engine.context());
  if (result == nullptr || result->signatures == nullptr) {
    refuse("no signature that gpg recognises");
  }
  std::vector<Found> all;
  for (const auto* each = result->signatures; each != nullptr; each = each->next) {
    all.push_back({*each, each->fpr != nullptr ? each->fpr : ""});
  }
  if (signers_ == Signers::any) {
    return judge_any(all, engine);
  }
  if (all.size() > 1) {
    refuse("more than one signature");
  }
  return judge_one(std::move(all.front()), engine);
}

Signature Verifier::State::judge_any(const std::vector<Found>& all, openpgp::Engine& engine) {
  std::optional<Signature> good;
  std::optional<base::Error> why_not;
  for (const auto& found : all) {
    try {
      const auto signature = judge_one(found, engine);
      good = good ? good : signature;
    } catch (const base::Error& error) {
      if (gpgme_err_code(found.verdict.status) == GPG_ERR_BAD_SIGNATURE) {
        throw;
      }
      why_not = why_not ? why_not : error;
    }
  }
  if (!good) {
    throw base::Error(why_not.value());
  }
  return *good;
}

Signature Verifier::State::judge_one(Found found, openpgp::Engine& engine) {
  auto& verdict = found.verdict;
  const auto& fingerprint = found.fingerprint;
  verdict.fpr = found.fingerprint.empty() ? nullptr : found.fingerprint.data();
  require_good(verdict);
  const auto facts = facts_of(fingerprint, engine);
  const auto made = time_of(verdict.timestamp);
  const auto now = engine.clock().now();
  if (facts.revoked) {
    refuse(base::cat("key revoked: ", fingerprint));
  }
  if (facts.expires && *facts.expires <= now) {
    refuse(base::cat("key expired on ", base::format_stamp(*facts.expires), ": ", fingerprint));
  }
  if (made > now + clock_skew) {
    refuse(base::cat("signature dated in the future: ", base::format_stamp(made),
                     ", and the clock here says ", base::format_stamp(now)));
  }
  return {fingerprint, facts.primary, made, facts.expires};
}

void Verifier::State::require_good(const _gpgme_signature& signature) const {
  const std::string key = signature.fpr != nullptr ? signature.fpr : "an unnamed key";
  switch (gpgme_err_code(signature.status)) {
    case GPG_ERR_NO_ERROR:
      break;
    case GPG_ERR_BAD_SIGNATURE:
      refuse(base::cat("bad signature: not what ", key, " signed"));
    case GPG_ERR_NO_PUBKEY:
      refuse(base::cat("signed by ", key, ", which is not in keyring ", keyring_.name()));
    case GPG_ERR_KEY_EXPIRED:
      refuse(base::cat("key expired: ", key));
    case GPG_ERR_CERT_REVOKED:
      refuse(base::cat("key revoked: ", key));
    case GPG_ERR_SIG_EXPIRED:
      refuse(base::cat("signature expired on ",
                       base::format_stamp(time_of(signature.exp_timestamp)), ", made by ", key));
    default:
      refuse(base::cat("signature of ", key, ": ", openpgp::reason_of(signature.status)));
  }
  if (!openpgp::is_strong(signature.hash_algo)) {
    const char* name = gpgme_hash_algo_name(signature.hash_algo);
    refuse(base::cat("weak digest: ", name != nullptr ? name : "unknown"));
  }
  if (signature.wrong_key_usage != 0) {
    refuse(base::cat("signed by ", key, ", which is not a signing key"));
  }
}

KeyFacts Verifier::State::facts_of(const std::string& fingerprint, openpgp::Engine& engine) {
  const std::lock_guard lock(facts_mutex_);
  const auto known = facts_.find(fingerprint);
  if (known != facts_.end()) {
    return known->second;
  }
  const auto key = engine.find_key(fingerprint);
  KeyFacts facts;
  for (const auto* part = key ? key->subkeys : nullptr; part != nullptr; part = part->next) {
    const bool primary = part == key->subkeys;
    const bool signer = part->fpr != nullptr && fingerprint == part->fpr;
    if (!primary && !signer) {
      continue;
    }
    facts.revoked = facts.revoked || part->revoked != 0;
    if (const auto end = openpgp::expiry_of(*part)) {
      facts.expires = facts.expires ? std::min(*facts.expires, *end) : *end;
    }
    if (signer) {
      facts.primary = key->subkeys->fpr;
    }
  }
  if (facts.primary.empty()) {
    refuse(base::cat("signed by ", fingerprint, ", which is not in keyring ", keyring_.name()));
  }
  return facts_.emplace(fingerprint, std::move(facts)).first->second;
}

std::vector<KeyInfo> Verifier::State::keys() {
  const std::lock_guard lock(lane_.mutex);
  const auto error = lane_.engine.run(
      0, [](gpgme_ctx_t context) { return gpgme_op_keylist_start(context, nullptr, 0); });
  if (error != 0) {
    refuse(base::cat("keyring ", keyring_.name(), ": gpg: ", openpgp::reason_of(error)));
  }
  std::vector<KeyInfo> all;
  for (const auto& key : lane_.engine.keys()) {
    all.push_back(info_of(*key));
  }
  return all;
}

std::vector<KeyInfo> Verifier::keys() const {
  return state_->keys();
}

Verifier::Verifier(Keyring keyring, const base::Clock& clock, Signers signers)
    : state_(std::make_unique<State>(std::move(keyring), clock, signers)) {}

Verifier::~Verifier() = default;

Verified Verifier::verify_clearsigned(std::string_view message, const std::string& name) const {
  return base::with_context(base::cat("verify ", name), [&] {
    openpgp::OutputData text;
    auto signature = state_->clearsigned(message, &text);
    return Verified{text.take(), std::move(signature)};
  });
}

Signature Verifier::verify_clear_signature(std::string_view message,
                                           const std::string& name) const {
  return base::with_context(base::cat("verify ", name),
                            [&] { return state_->clearsigned(message, nullptr); });
}

Signature Verifier::verify_detached(std::string_view data, std::string_view signature,
                                    const std::string& name) const {
  return base::with_context(base::cat("verify ", name),
                            [&] { return state_->detached(data, signature); });
}

}  // namespace io

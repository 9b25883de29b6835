#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/openpgp/armor.h"
#include "io/openpgp/engine.h"
#include "io/openpgp/openpgp.h"

namespace io {

namespace {

using openpgp::expiry_of;
using openpgp::Key;

[[noreturn]] void fail(std::string reason) {
  throw base::Error(base::Errc::failed, std::move(reason));
}

bool may_sign(const _gpgme_subkey& part, base::Time now) {
  const auto end = expiry_of(part);
  return part.can_sign != 0 && part.secret != 0 && part.revoked == 0 && part.expired == 0 &&
         part.disabled == 0 && part.invalid == 0 && (!end || *end > now);
}

/// Why a key cannot sign, or an empty string.
std::string unusable_reason(const _gpgme_key& key, base::Time now) {
  const auto end = expiry_of(*key.subkeys);
  if (key.revoked != 0) {
    return "is revoked";
  }
  if (key.expired != 0 || (end && *end <= now)) {
    return base::cat("expired", end ? " on " + base::format_stamp(*end) : "");
  }
  if (key.disabled != 0 || key.invalid != 0) {
    return key.disabled != 0 ? "is disabled" : "is invalid";
  }
  bool expired = false;
  bool stub = false;
  for (const auto* part = key.subkeys; part != nullptr; part = part->next) {
    if (may_sign(*part, now)) {
      return {};
    }
    const auto part_end = expiry_of(*part);
    expired = expired || (part->can_sign != 0 && part_end && *part_end <= now);
    stub = stub || (part->can_sign != 0 && part->secret == 0);
  }
  if (expired) {
    return "has a signing subkey that expired";
  }
  return stub ? "has no secret part for signing in this home" : "cannot sign";
}

/// gpg finds it by itself.
constexpr const char* user_home = "";

/// Whether anything, of the machine or of the user, can have set a default key: gpgconf starts two
/// more programs to say that.
bool has_gpg_conf() {
  const char* home = std::getenv("GNUPGHOME");
  const char* user = std::getenv("HOME");
  const std::string directory = home != nullptr   ? home
                                : user != nullptr ? base::cat(user, "/.gnupg")
                                                  : std::string();
  if (directory.empty() || base::exists_at(AT_FDCWD, "/etc/gnupg")) {
    return true;
  }
  if (!base::exists_at(AT_FDCWD, directory)) {
    return false;
  }
  // gpg reads gpg.conf-VERSION in its place where there is one.
  const auto names = base::list_directory(directory);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return name.starts_with("gpg.conf"); });
}

/// "default-key" of the home's gpg.conf, empty if there is none. gpg itself would go on to another
/// key when this one cannot be used.
std::string configured_key() {
  if (!has_gpg_conf()) {
    return {};
  }
  base::Command command;
  command.argv = {"gpgconf", "--list-options", "gpg"};
  command.capture_output = true;
  command.capture_error = true;
  const auto outcome = base::run_checked(command);
  for (const auto& line : base::split(outcome.output, '\n')) {
    const auto fields = base::split(line, ':');
    // NAME:flags:level:description:type:alt-type:argname:default:argdef:"VALUE
    if (fields.size() > 9 && fields[0] == "default-key" && fields[9].starts_with('"')) {
      return fields[9].substr(1);
    }
  }
  return {};
}

}  // namespace

struct Signer::State {
  State(std::string key, const base::Clock& clock);

  std::string sign(std::string_view text, gpgme_sig_mode_t mode,
                   const openpgp::OutputData::Sink& sink = nullptr);
  std::string export_key(bool armored);

  std::string fingerprint;
  std::optional<base::Time> expires;

 private:
  std::vector<Key> secret_keys(const std::string& pattern);
  Key choose(const std::string& pattern);
  Key first_usable();
  void require_our_signature(gpgme_ctx_t context) const;
  [[noreturn]] void explain(gpgme_error_t error) const;

  void prepare(openpgp::Engine& engine);

  openpgp::Lane lane_;
  openpgp::Lane detached_lane_;  ///< so that both kinds of signature are made side by side
  Key key_;
  std::string wanted_;
};

Signer::State::State(std::string key, const base::Clock& clock)
    : lane_(user_home, clock), detached_lane_(user_home, clock), wanted_(std::move(key)) {
  const char* variable = std::getenv("SS_GPG_DEFAULT_KEY");
  if (wanted_.empty() && variable != nullptr) {
    wanted_ = variable;
  }
  if (wanted_.empty()) {
    wanted_ = configured_key();
  }
  key_ = wanted_.empty() ? first_usable() : choose(wanted_);
  fingerprint = key_->subkeys->fpr;
  expires = openpgp::signing_end(
      *key_, [now = clock.now()](const auto& part) { return may_sign(part, now); });
  prepare(lane_.engine);
  prepare(detached_lane_.engine);
}

void Signer::State::prepare(openpgp::Engine& engine) {
  auto* context = engine.context();
  gpgme_set_armor(context, 1);
  // Whoever runs us unattended has the passphrase in the agent, or none.
  gpgme_set_pinentry_mode(context, GPGME_PINENTRY_MODE_ERROR);
  if (const auto error = gpgme_signers_add(context, key_.get()); error != 0) {
    fail(base::cat("signing key ", fingerprint, ": ", openpgp::reason_of(error)));
  }
}

std::vector<Key> Signer::State::secret_keys(const std::string& pattern) {
  const auto error = lane_.engine.run(0, [&](gpgme_ctx_t context) {
    return gpgme_op_keylist_start(context, pattern.empty() ? nullptr : pattern.c_str(), 1);
  });
  if (error != 0 && gpgme_err_code(error) != GPG_ERR_NO_SECKEY) {
    fail(base::cat("list secret keys: gpg: ", openpgp::reason_of(error)));
  }
  return std::move(lane_.engine.keys());
}

Key Signer::State::choose(const std::string& pattern) {
  auto keys = secret_keys(pattern);
  if (keys.empty()) {
    fail(base::cat("signing key '", pattern, "': no secret key of that name in the GnuPG home"));
  }
  if (keys.size() > 1) {
    std::vector<std::string> names;
    std::transform(keys.begin(), keys.end(), std::back_inserter(names),
                   [](const Key& key) { return std::string(key->subkeys->fpr); });
    fail(base::cat("signing key '", pattern, "' is ambiguous: ", base::join(names, ", ")));
  }
  const auto reason = unusable_reason(*keys.front(), lane_.engine.clock().now());
  if (!reason.empty()) {
    fail(base::cat("signing key '", pattern, "' (", keys.front()->subkeys->fpr, ") ", reason));
  }
  return std::move(keys.front());
}

/// As gpg chooses when no default key is configured.
Key Signer::State::first_usable() {
  auto keys = secret_keys({});
  std::string reasons;
  for (auto& key : keys) {
    const auto reason = unusable_reason(*key, lane_.engine.clock().now());
    if (reason.empty()) {
      return std::move(key);
    }
    reasons += base::cat(reasons.empty() ? "" : "; ", key->subkeys->fpr, " ", reason);
  }
  fail(keys.empty() ? "signing key: there is no secret key in the GnuPG home"
                    : base::cat("signing key: none is usable: ", reasons));
}

std::string Signer::State::sign(std::string_view text, gpgme_sig_mode_t mode,
                                const openpgp::OutputData::Sink& sink) {
  auto& lane = mode == GPGME_SIG_MODE_DETACH ? detached_lane_ : lane_;
  const std::lock_guard lock(lane.mutex);
  const auto input = openpgp::input_of(text);
  openpgp::OutputData output(sink);
  const auto error = lane.engine.run(text.size(), [&](gpgme_ctx_t context) {
    return gpgme_op_sign_start(context, input.get(), output.get(), mode);
  });
  auto made = output.take();
  if (error != 0) {
    explain(error);
  }
  require_our_signature(lane.engine.context());
  return made;
}

void Signer::State::explain(gpgme_error_t error) const {
  const auto name = base::cat("sign with key ", fingerprint, ": ");
  switch (gpgme_err_code(error)) {
    case GPG_ERR_NO_PIN_ENTRY:
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
    case GPG_ERR_BAD_PASSPHRASE:
    case GPG_ERR_NO_PASSPHRASE:
      fail(base::cat(name,
                     "the key wants a passphrase and gpg-agent does not hold it; preset it, or use "
                     "a key without one"));
    case GPG_ERR_UNUSABLE_SECKEY:
      fail(base::cat(name, "gpg calls it unusable: expired, revoked or without its secret part"));
    case GPG_ERR_NO_AGENT:
      fail(base::cat(name, "gpg-agent cannot be started or reached"));
    default:
      fail(base::cat(name, "gpg: ", openpgp::reason_of(error)));
  }
}

/// gpg.conf of the home can ask for other keys, more keys and weak digests.
void Signer::State::require_our_signature(gpgme_ctx_t context) const {
  const auto* result = gpgme_op_sign_result(context);
  const auto* made = result != nullptr ? result->signatures : nullptr;
  if (made == nullptr || made->next != nullptr) {
    fail(base::cat("sign with key ", fingerprint, ": gpg did not make exactly one signature"));
  }
  if (!openpgp::is_strong(made->hash_algo)) {
    fail(base::cat("sign with key ", fingerprint, ": the GnuPG home asks for the digest ",
                   gpgme_hash_algo_name(made->hash_algo), "; SHA256, SHA384 or SHA512 are fit"));
  }
  bool ours = false;
  for (const auto* part = key_->subkeys; part != nullptr; part = part->next) {
    ours = ours || (part->fpr != nullptr && made->fpr != nullptr &&
                    std::string_view(part->fpr) == made->fpr);
  }
  // "FPR!" asks for that part of the key and no other.
  if (wanted_.ends_with('!') && made->fpr != nullptr) {
    const auto exact = std::string_view(wanted_).substr(0, wanted_.size() - 1);
    ours = ours && std::string_view(made->fpr).ends_with(exact.substr(exact.find('x') + 1));
  }
  if (!ours) {
    fail(base::cat("sign with key ", fingerprint, ": gpg signed with another key, ",
                   made->fpr != nullptr ? made->fpr : "unknown"));
  }
}

std::string Signer::State::export_key(bool armored) {
  const std::lock_guard lock(lane_.mutex);
  openpgp::OutputData output;
  gpgme_set_armor(lane_.engine.context(), armored ? 1 : 0);
  std::array<gpgme_key_t, 2> keys{key_.get(), nullptr};
  const auto error = lane_.engine.run(0, [&](gpgme_ctx_t context) {
    return gpgme_op_export_keys_start(context, keys.data(), GPGME_EXPORT_MODE_MINIMAL,
                                      output.get());
  });
  gpgme_set_armor(lane_.engine.context(), 1);
  auto bytes = output.take();
  if (error != 0 || bytes.empty()) {
    fail(base::cat("export key ", fingerprint,
                   ": gpg: ", error != 0 ? openpgp::reason_of(error) : "nothing exported"));
  }
  return bytes;
}

Signer::Signer(const std::string& key, const base::Clock& clock)
    : state_(std::make_unique<State>(key, clock)) {}

Signer::~Signer() = default;

const std::string& Signer::fingerprint() const {
  return state_->fingerprint;
}

std::optional<base::Time> Signer::expires() const {
  return state_->expires;
}

void Signer::clearsign(std::string_view text,
                       const std::function<void(std::string_view)>& write) const {
  if (const auto fault = openpgp::unsignable_text_fault(text)) {
    fail(base::cat("clear-sign: the text is not fit for it: ", *fault));
  }
  state_->sign(text, GPGME_SIG_MODE_CLEAR, write);
}

std::string Signer::clearsign(std::string_view text) const {
  std::string message;
  clearsign(text, [&](std::string_view piece) { message += piece; });
  if (const auto fault = openpgp::clearsigned_fault(message)) {
    fail(base::cat("clear-sign: what gpg made is not fit to publish: ", *fault));
  }
  return message;
}

std::string Signer::sign_detached(std::string_view data) const {
  auto signature = state_->sign(data, GPGME_SIG_MODE_DETACH);
  if (const auto fault = openpgp::detached_fault(signature)) {
    fail(base::cat("sign: what gpg made is not fit to publish: ", *fault));
  }
  return signature;
}

std::string Signer::export_key(bool armored) const {
  return state_->export_key(armored);
}

}  // namespace io

#include "meph2/keys/keys.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/keys/key_rotation.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/published_keyring.h"
#include "sstream/repository/signing.h"

namespace meph2 {

namespace {

using sstream::Repository;

bool has_key(const std::vector<io::KeyInfo>& keys, const std::string& fingerprint) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const auto& key) { return key.fingerprint == fingerprint; });
}

/// The key that signs here, if this GnuPG home knows it.
std::optional<io::Keyring> keyring_of_signer(const std::string& signer,
                                             const sstream::Context& context) {
  if (signer.empty()) {
    return std::nullopt;
  }
  try {
    return io::Keyring::of_user(signer, context.clock);
  } catch (const base::Error& error) {
    context.log.debug(error.what());
    return std::nullopt;
  }
}

class StatusCheck {
 public:
  StatusCheck(const KeyStatusOptions& options, const sstream::Context& context)
      : context_(context),
        repository_(options.target, sstream::Access::read),
        live_(sstream::Generation::load(repository_)) {
    if (live_.directory() < 0) {
      throw base::Error(base::Errc::not_found,
                        base::cat(options.target, ": has no stream (no streams/v1)"));
    }
    result_.signer = repository_.read_state().signer;
    if (const auto rotation = read_rotation(repository_)) {
      result_.announced = rotation->key == result_.signer ? std::string() : rotation->key;
      result_.announced_on = rotation->announced;
    }
    published_ = sstream::published_keyring(repository_);
    if (published_) {
      published_keys_ = io::Verifier(*published_, context.clock).keys();
    }
    choose_keyring(options.keyring);
  }

  KeyStatus run() {
    for (const auto& name : sstream::documents_in(live_.directory())) {
      base::check_stop(context_.stop);
      look_at(name);
    }
    if (std::all_of(result_.files.begin(), result_.files.end(),
                    [](const auto& file) { return file.state == "missing"; })) {
      problem("the stream is unsigned; `meph2-util sign` signs it");
    } else {
      judge_files();
    }
    list_keys();
    judge_published();
    return std::move(result_);
  }

 private:
  void problem(const std::string& text) { result_.problems.push_back(text); }

  void choose_keyring(const std::string& named) {
    if (!named.empty()) {
      keyring_ = io::Keyring::load(named);
    } else {
      keyring_ = published_;
      auto own = has_key(published_keys_, result_.signer)
                     ? std::nullopt
                     : keyring_of_signer(result_.signer, context_);
      if (own && keyring_) {
        own = io::Keyring::from_bytes(base::cat(keyring_->binary(), own->binary()),
                                      keyring_->name() + " and the GnuPG home");
      }
      if (own) {
        keyring_ = std::move(own);
      }
    }
    if (keyring_) {
      known_ = io::Verifier(*keyring_, context_.clock).keys();
      verifier_ = std::make_unique<sstream::DocumentVerifier>(*keyring_, context_.clock);
    }
  }

  void look_at(const std::string& document) {
    const auto faults = verifier_ ? verifier_->faults(live_.directory(), document)
                                  : sstream::SignatureFaults{"no keyring to verify it with",
                                                             "no keyring to verify it with"};
    add_file(document + ".gpg", faults.detached, faults.detached_by);
    add_file(sstream::signed_name(document), faults.clear, faults.clear_by);
  }

  void add_file(const std::string& name, const std::optional<std::string>& fault,
                const std::optional<io::Signature>& by) {
    KeyStatus::File file;
    file.name = "streams/v1/" + name;
    if (!base::exists_at(live_.directory(), name)) {
      file.state = "missing";
    } else if (fault) {
      file.state = "bad";
      file.reason = *fault;
    } else {
      file.state = "good";
      file.fingerprint = by->primary_fingerprint;
      signing_.insert(file.fingerprint);
    }
    result_.files.push_back(std::move(file));
  }

  void judge_files() {
    for (const auto& file : result_.files) {
      if (file.state == "missing") {
        problem(base::cat(file.name, " is missing: the document is not signed so"));
      } else if (file.state == "bad") {
        problem(base::cat(file.name, ": ", file.reason));
      }
    }
    if (signing_.size() > 1) {
      problem("files are signed with different keys: readers need all of them");
    }
  }

  void list_keys() {
    for (const auto& info : known_) {
      KeyStatus::Key key;
      key.info = info;
      if (info.expires) {
        key.days =
            std::chrono::floor<std::chrono::days>(*info.expires - context_.clock.now()).count();
      }
      key.signs = signing_.contains(info.fingerprint);
      key.published = has_key(published_keys_, info.fingerprint);
      judge_key(key);
      result_.keys.push_back(std::move(key));
    }
  }

  /// A key that signs nothing, and is not to, may end.
  void judge_key(const KeyStatus::Key& key) {
    const auto& fingerprint = key.info.fingerprint;
    if (!key.signs && fingerprint != result_.signer && fingerprint != result_.announced) {
      return;
    }
    if (key.info.revoked) {
      problem(base::cat("key ", fingerprint, " is revoked"));
    } else if (key.days && *key.days < sstream::key_expiry_warning.count()) {
      problem(base::cat("key ", fingerprint,
                        *key.days < 0 ? " ended on " : " ends within 30 days, on ",
                        base::format_stamp(*key.info.expires)));
    }
  }

  void judge_published() {
    if (!published_) {
      return;
    }
    for (const auto& fingerprint : signing_) {
      if (!has_key(published_keys_, fingerprint)) {
        problem(base::cat(sstream::keyring_file, " does not hold ", fingerprint,
                          ", which signs: who takes that keyring refuses the stream"));
      }
    }
    if (!sstream::is_published(repository_, *published_)) {
      problem(base::cat(sstream::armored_keyring_file, " does not hold the keys of ",
                        sstream::keyring_file));
    }
  }

  const sstream::Context& context_;
  Repository repository_;
  sstream::Generation live_;
  KeyStatus result_;
  std::optional<io::Keyring> published_;
  std::vector<io::KeyInfo> published_keys_;
  std::optional<io::Keyring> keyring_;
  std::vector<io::KeyInfo> known_;
  std::unique_ptr<sstream::DocumentVerifier> verifier_;
  std::set<std::string> signing_;
};

}  // namespace

KeyStatus key_status(const KeyStatusOptions& options, const sstream::Context& context) {
  return StatusCheck(options, context).run();
}

std::string export_key(const std::string& key, bool armored, const sstream::Context& context) {
  const auto fingerprint = key.empty() ? io::Signer({}, context.clock).fingerprint() : key;
  const auto keyring = io::Keyring::of_user(fingerprint, context.clock);
  const auto keys = io::Verifier(keyring, context.clock).keys();
  if (keys.size() > 1) {
    std::vector<std::string> names;
    std::transform(keys.begin(), keys.end(), std::back_inserter(names),
                   [](const auto& info) { return info.fingerprint; });
    throw base::Error(base::Errc::failed,
                      base::cat("key '", key, "' is ambiguous: ", base::join(names, ", ")));
  }
  return armored ? keyring.armored() : keyring.binary();
}

}  // namespace meph2

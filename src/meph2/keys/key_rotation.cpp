#include "meph2/keys/key_rotation.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/published_keyring.h"
#include "sstream/repository/signing.h"

namespace meph2 {

namespace {

using sstream::Repository;

constexpr const char* file_name = "rotation.json";
constexpr unsigned rotation_version = 1;
constexpr const char* action = "keys rotate";

[[noreturn]] void refuse(const std::string& reason) {
  throw base::Error(base::Errc::refused, reason);
}

void write_rotation(const Repository& repository, const Rotation& rotation) {
  base::replace_file(repository.private_dir(), file_name,
                     io::to_text({{"announced", rotation.announced},
                                  {"key", rotation.key},
                                  {"version", rotation_version}}));
}

std::vector<std::string> fingerprints(const io::Keyring& keyring, const base::Clock& clock) {
  std::vector<std::string> names;
  for (const auto& key : io::Verifier(keyring, clock).keys()) {
    names.push_back(key.fingerprint);
  }
  return names;
}

bool holds(const std::vector<std::string>& keyring, const std::string& key) {
  return std::find(keyring.begin(), keyring.end(), key) != keyring.end();
}

/// A repository that a change of keys is to be made in.
class KeyPlace {
 public:
  KeyPlace(const RotateOptions& options, const sstream::Context& context)
      : context_(context),
        repository_(options.target,
                    options.dry_run ? sstream::Access::read : sstream::Access::locks) {
    if (!options.dry_run) {
      lock_ = repository_.lock_commit(options.lock_timeout, context);
      if (repository_.streams() >= 0) {
        sstream::recover(repository_);
      }
    }
    signer_ = repository_.read_state().signer;
    if (signer_.empty()) {
      refuse(base::cat(options.target, ": was never signed by this toolkit; `meph2-util sign ",
                       options.target, "` first"));
    }
  }

  const Repository& repository() const { return repository_; }

  const std::string& signer() const { return signer_; }

  /// Before a keyring is published it has to fit what is there.
  void require_well_signed(const io::Keyring& keyring) const {
    const auto live = sstream::Generation::load(repository_);
    const sstream::DocumentVerifier verifier(keyring, context_.clock);
    for (const auto& name : sstream::documents_in(live.directory())) {
      base::check_stop(context_.stop);
      if (const auto faults = verifier.faults(live.directory(), name)) {
        refuse(base::cat("streams/v1/", name, ": is not well signed by ", signer_, ": ",
                         faults.text()));
      }
    }
  }

 private:
  const sstream::Context& context_;
  Repository repository_;
  base::FileLock lock_;
  std::string signer_;
};

/// What fails now leaves the keyring published.
void after_publication(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    throw error.becomes(base::Errc::cleanup_incomplete, "the keyring is published; run this again");
  }
}

void warn_of_end(const io::Signer& key, const sstream::Context& context) {
  const auto expires = key.expires();
  if (expires && *expires - context.clock.now() < sstream::key_expiry_warning) {
    context.log.warning(
        base::cat("key ", key.fingerprint(), " ends on ", base::format_stamp(*expires)));
  }
}

RotateResult announce(const RotateOptions& options, const std::string& key,
                      const sstream::Context& context) {
  const io::Signer next(key, context.clock);
  const KeyPlace place(options, context);
  if (next.fingerprint() == place.signer()) {
    refuse(base::cat(next.fingerprint(), " is the key that signs already"));
  }
  warn_of_end(next, context);
  const auto current = io::Keyring::of_user(place.signer(), context.clock);
  place.require_well_signed(current);
  const auto both = io::Keyring::from_bytes(
      current.binary() + io::Keyring::of_user(next.fingerprint(), context.clock).binary(),
      "of both keys");
  RotateResult result;
  result.key = place.signer();
  result.keyring = fingerprints(both, context.clock);
  const auto known = read_rotation(place.repository());
  const bool is_out = sstream::is_published(place.repository(), both);
  if (is_out && known && known->key == next.fingerprint()) {
    result.next = *known;
    return result;
  }
  result.changed = true;
  result.next = {next.fingerprint(), base::format_stamp(context.clock.now())};
  if (!options.dry_run) {
    // The date is written last: readers had the keyring before it.
    sstream::publish_keyring(place.repository(), both);
    after_publication([&] { write_rotation(place.repository(), result.next); });
  }
  return result;
}

/// The announced key, when its time has come.
Rotation due_rotation(const Repository& repository, const std::string& signer,
                      const RotateOptions& options, const std::vector<std::string>& keyring,
                      const sstream::Context& context) {
  const auto rotation = read_rotation(repository);
  if (!rotation) {
    refuse("no key was announced; `meph2-util keys rotate --announce NEWKEY` comes first");
  }
  for (const auto& key : {signer, rotation->key}) {
    if (!holds(keyring, key)) {
      refuse(base::cat("the published ", sstream::keyring_file, " does not hold ", key,
                       "; announce the new key again"));
    }
  }
  const auto since = base::parse_stamp(rotation->announced);
  if (!since || context.clock.now() < *since + options.grace) {
    refuse(base::cat("key ", rotation->key, " was announced on ", rotation->announced,
                     "; readers get until ",
                     since ? base::format_stamp(*since + options.grace) : "then",
                     " to take the new keyring (--grace)"));
  }
  return *rotation;
}

RotateResult switch_to_announced(const RotateOptions& options, const sstream::Context& context) {
  RotateResult result;
  std::string next;
  {
    const KeyPlace place(options, context);
    const auto keyring = sstream::published_keyring(place.repository());
    result.keyring = keyring ? fingerprints(*keyring, context.clock) : std::vector<std::string>();
    result.key = place.signer();
    const auto known = read_rotation(place.repository());
    if (known && known->key == place.signer()) {
      return result;
    }
    next = due_rotation(place.repository(), place.signer(), options, result.keyring, context).key;
  }
  sstream::PublishOptions publish;
  publish.action = action;
  publish.key = next;
  publish.change_key = true;
  publish.dry_run = options.dry_run;
  publish.lock_timeout = options.lock_timeout;
  const auto old = result.key;
  result.published = sstream::publish(
      options.target,
      [&](const sstream::Generation&) {
        sstream::Plan plan;
        plan.details = {{"key", next}, {"previous_key", old}};
        return plan;
      },
      publish, context);
  result.changed = true;
  result.key = next;
  return result;
}

RotateResult finish(const RotateOptions& options, const sstream::Context& context) {
  const KeyPlace place(options, context);
  const auto keyring = io::Keyring::of_user(place.signer(), context.clock);
  place.require_well_signed(keyring);
  RotateResult result;
  result.key = place.signer();
  result.keyring = fingerprints(keyring, context.clock);
  const bool recorded = read_rotation(place.repository()).has_value();
  result.changed = recorded || !sstream::is_published(place.repository(), keyring);
  if (result.changed && !options.dry_run) {
    sstream::publish_keyring(place.repository(), keyring);
    after_publication([&] { base::unlink_at(place.repository().private_dir(), file_name); });
  }
  return result;
}

template <typename Work>
RotateResult guarded(const Work& work) {
  return base::with_context(action, [&] { return base::with_state("nothing changed", work); });
}

}  // namespace

std::optional<Rotation> read_rotation(const Repository& repository) {
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), file_name)) {
    return std::nullopt;
  }
  auto file = base::open_file_at(repository.private_dir(), file_name, O_RDONLY | O_NOFOLLOW);
  const auto damaged = [&](const std::string& reason) {
    throw base::Error(base::Errc::failed,
                      base::cat(repository.path(), "/.data/.sstream/", file_name, ": ", reason,
                                "; take it away and announce the key again"));
  };
  try {
    const auto json = io::read_json(file);
    if (json.at("version").get<unsigned>() > rotation_version) {
      damaged("written by a newer version of this software");
    }
    return Rotation{json.at("key").get<std::string>(), json.at("announced").get<std::string>()};
  } catch (const io::Json::exception& error) {
    damaged(error.what());
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;
    }
    damaged(error.what());
  }
  return std::nullopt;
}

RotateResult announce_key(const RotateOptions& options, const std::string& key,
                          const sstream::Context& context) {
  return guarded([&] { return announce(options, key, context); });
}

RotateResult switch_key(const RotateOptions& options, const sstream::Context& context) {
  return guarded([&] { return switch_to_announced(options, context); });
}

RotateResult finish_rotation(const RotateOptions& options, const sstream::Context& context) {
  return guarded([&] { return finish(options, context); });
}

}  // namespace meph2

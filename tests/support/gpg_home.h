#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fs/temp_dir.h"

namespace support {

/// A clock that says what it is told.
class FakeClock : public base::Clock {
 public:
  explicit FakeClock(base::Time now) : now_(now) {}

  base::Time now() const override { return now_; }

  void set(base::Time now) { now_ = now; }

  void advance(std::chrono::seconds by) { now_ += by; }

 private:
  base::Time now_;
};

struct KeyOptions {
  std::string user_id = "Test Key <test@example.com>";
  std::string algorithm = "ed25519";  ///< or rsa2048, ...
  std::string expires = "none";       ///< "none", "1y" (after `created`), "2030-01-01"
  std::string created = "20200101T000000";
  std::string passphrase = {};
  bool signing_subkey = false;  ///< the primary certifies only, a subkey signs
};

/// A throw-away GnuPG home. While it lives GNUPGHOME names it and SS_GPG_DEFAULT_KEY is unset; its
/// agent ends with it.
class GpgHome {
 public:
  GpgHome();
  GpgHome(const GpgHome&) = delete;
  GpgHome& operator=(const GpgHome&) = delete;
  ~GpgHome();

  const std::string& path() const { return directory_.path(); }

  /// Fingerprint of the new primary key. Created in 2020 unless told otherwise, so that clocks
  /// may be set back without making the key one of the future.
  std::string make_key(const KeyOptions& options = {}) const;
  void revoke_key(const std::string& fingerprint) const;

  /// The public keys of these fingerprints (all for none).
  std::string export_keys(const std::vector<std::string>& fingerprints, bool armored = false) const;

  /// Runs gpg in this home and returns its output; throws when it does not succeed.
  std::string gpg(const std::vector<std::string>& arguments,
                  std::optional<std::string> input = std::nullopt) const;

 private:
  base::TempDir directory_{"mgpg-", "/tmp"};
  std::optional<std::string> outer_home_;
  std::optional<std::string> outer_key_;
};

/// Whether stock gpgv accepts the message with this keyring file, and what it hands out.
struct GpgvVerdict {
  int status = 0;
  std::string output;
  std::string error;
};

GpgvVerdict run_gpgv(const std::string& keyring_file, std::string_view message);
GpgvVerdict run_gpgv_detached(const std::string& keyring_file, std::string_view data,
                              std::string_view signature);

}  // namespace support

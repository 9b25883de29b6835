#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gpgme.h>

#include "base/clock.h"
#include "base/temp_dir.h"

namespace io::openpgp {

struct ReleaseContext {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
};

struct ReleaseKey {
  void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};

using Key = std::unique_ptr<_gpgme_key, ReleaseKey>;

/// What GPGME says about an error, for messages.
std::string reason_of(gpgme_error_t error);

/// Bytes that GPGME reads; they must outlive this object.
class InputData {
 public:
  explicit InputData(std::string_view bytes);
  InputData(const InputData&) = delete;
  InputData& operator=(const InputData&) = delete;
  ~InputData();

  gpgme_data_t get() const { return data_; }

 private:
  gpgme_data_t data_ = nullptr;
};

/// Collects what GPGME writes.
class OutputData {
 public:
  OutputData();
  OutputData(const OutputData&) = delete;
  OutputData& operator=(const OutputData&) = delete;
  ~OutputData();

  gpgme_data_t get() const { return data_; }

  /// Rethrows what went wrong while collecting.
  std::string take();

 private:
  static ssize_t append(void* self, const void* bytes, size_t size) noexcept;

  gpgme_data_cbs callbacks_{};
  gpgme_data_t data_ = nullptr;
  std::string text_;
  std::exception_ptr failure_;
};

/// One GPGME context on one GnuPG home. Not for two threads at once.
class Engine {
 public:
  /// `home`: empty means the user's (GNUPGHOME).
  Engine(std::string home, const base::Clock& clock);

  gpgme_ctx_t context() const { return context_.get(); }

  const base::Clock& clock() const { return clock_; }

  /// Runs `operation` under a time limit that suits `bytes` of input; gpg that does not answer in
  /// time is Error(failed). Other errors are returned.
  gpgme_error_t run(std::size_t bytes,
                    const std::function<gpgme_error_t(gpgme_ctx_t context)>& operation);

  /// A key by fingerprint; null when the home has none.
  Key find_key(const std::string& fingerprint, bool secret);

 private:
  /// gpg dates and judges signatures by the system's clock. Where ours says something else (tests),
  /// gpg is run through a script that tells it.
  void follow_clock();

  std::string home_;
  const base::Clock& clock_;
  std::unique_ptr<gpgme_context, ReleaseContext> context_;
  std::optional<base::TempDir> wrapper_;
};

}  // namespace io::openpgp

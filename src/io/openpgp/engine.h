#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gpgme.h>

#include "base/clock.h"
#include "base/fs/temp_dir.h"

namespace io::openpgp {

struct ReleaseContext {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
};

struct ReleaseData {
  void operator()(gpgme_data_t data) const { gpgme_data_release(data); }
};

struct ReleaseKey {
  void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};

using Key = std::unique_ptr<_gpgme_key, ReleaseKey>;

/// What GPGME says about an error, for messages.
std::string reason_of(gpgme_error_t error);

/// SHA-256, SHA-384 or SHA-512.
bool is_strong(gpgme_hash_algo_t hash);

/// When the part of a key ends, if it does.
std::optional<base::Time> expiry_of(const _gpgme_subkey& part);

/// The primary's end, or that of the longest-lived part that `signs`, whichever is first.
std::optional<base::Time> signing_end(const _gpgme_key& key,
                                      const std::function<bool(const _gpgme_subkey& part)>& signs);

using Data = std::unique_ptr<gpgme_data, ReleaseData>;

/// Bytes that GPGME reads; they must outlive it.
Data input_of(std::string_view bytes);

/// Collects what GPGME writes, or hands it on as it comes.
class OutputData {
 public:
  using Sink = std::function<void(std::string_view)>;

  explicit OutputData(Sink sink = nullptr);
  OutputData(const OutputData&) = delete;
  OutputData& operator=(const OutputData&) = delete;

  gpgme_data_t get() const { return data_.get(); }

  /// What was collected. Rethrows what went wrong meanwhile.
  std::string take();

 private:
  static ssize_t append(void* self, const void* bytes, size_t size) noexcept;

  gpgme_data_cbs callbacks_{};
  Sink sink_;
  std::string text_;
  std::exception_ptr failure_;
  Data data_;
};

/// One GPGME context on one GnuPG home. Not for two threads at once.
class Engine {
 public:
  /// `home`: empty means the user's (GNUPGHOME). `limit`: for what takes no time in itself.
  Engine(std::string home, const base::Clock& clock,
         std::chrono::seconds limit = std::chrono::seconds(60));
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  gpgme_ctx_t context() const { return context_.get(); }

  const base::Clock& clock() const { return clock_; }

  /// Starts an operation (gpgme_op_..._start) and sees it through. gpg that does not answer within
  /// a time that suits `bytes` of input is Error(failed); other errors are returned. Listed keys
  /// are found in keys().
  gpgme_error_t run(std::size_t bytes,
                    const std::function<gpgme_error_t(gpgme_ctx_t context)>& start);

  /// What the last operation listed.
  std::vector<Key>& keys() { return keys_; }

  /// A public key by fingerprint; null when the home has none.
  Key find_key(const std::string& fingerprint);

 private:
  /// gpg dates and judges signatures by the system's clock. Where ours says something else (tests),
  /// gpg is run through a script that tells it.
  void follow_clock();

  // GPGME's own loop cannot be left before gpg says something; so it runs in ours.
  struct Watch;
  static gpgme_error_t add_watch(void* self, int fd, int reading, gpgme_io_cb_t call,
                                 void* call_data, void** tag) noexcept;
  static void remove_watch(void* tag) noexcept;
  static void on_event(void* self, gpgme_event_io_t type, void* data) noexcept;
  void poll_watches(std::chrono::milliseconds wait);
  void loop_until(std::chrono::steady_clock::time_point deadline);

  std::string home_;
  const base::Clock& clock_;
  std::chrono::seconds limit_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<Key> keys_;
  bool done_ = false;
  gpgme_error_t outcome_ = 0;
  std::unique_ptr<gpgme_context, ReleaseContext> context_;
  std::optional<base::TempDir> wrapper_;
};

/// An engine that threads take in turn.
struct Lane {
  Lane(std::string home, const base::Clock& clock) : engine(std::move(home), clock) {}

  Engine engine;
  std::mutex mutex;
};

}  // namespace io::openpgp

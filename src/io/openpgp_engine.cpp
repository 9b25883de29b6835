#include "io/openpgp_engine.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/strings.h"
#include "base/subprocess.h"

namespace io::openpgp {

namespace {

using std::chrono::seconds;

/// A system clock a minute off the injected one is the same clock.
constexpr seconds same_clock{60};

void require(gpgme_error_t error, std::string_view action) {
  if (error != 0) {
    throw base::Error(base::Errc::failed, base::cat(action, ": ", reason_of(error)));
  }
}

/// GPGME wants this before anything else, once, and not in two threads.
void initialise() {
  static const bool done = [] {
    gpgme_check_version(nullptr);
    return gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP) == 0;
  }();
  if (!done) {
    throw base::Error(base::Errc::failed, "gpg: no usable GnuPG found; install the package gnupg");
  }
}

/// Cancels an operation that takes too long: gpg may hang on a card, an agent or a full pipe.
class Watchdog {
 public:
  Watchdog(gpgme_ctx_t context, seconds limit)
      : thread_([this, context, limit](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          if (!wake_.wait_for(lock, stop, limit, [&] { return stop.stop_requested(); })) {
            expired_ = true;
            gpgme_cancel_async(context);
          }
        }) {}

  /// Ends the watch; whether the limit was passed.
  bool expired() {
    thread_.request_stop();
    thread_.join();
    return expired_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool expired_ = false;
  std::jthread thread_;
};

}  // namespace

std::string reason_of(gpgme_error_t error) {
  std::array<char, 256> text{};
  gpgme_strerror_r(error, text.data(), text.size());
  return text.data();
}

InputData::InputData(std::string_view bytes) {
  require(gpgme_data_new_from_mem(&data_, bytes.data(), bytes.size(), 0), "gpg: take input");
}

InputData::~InputData() {
  gpgme_data_release(data_);
}

OutputData::OutputData() {
  callbacks_.write = append;
  require(gpgme_data_new_from_cbs(&data_, &callbacks_, this), "gpg: take output");
}

OutputData::~OutputData() {
  gpgme_data_release(data_);
}

ssize_t OutputData::append(void* self, const void* bytes, size_t size) noexcept {
  auto& output = *static_cast<OutputData*>(self);
  try {
    output.text_.append(static_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
  } catch (...) {
    output.failure_ = std::current_exception();
    gpgme_err_set_errno(ENOMEM);
    return -1;
  }
}

std::string OutputData::take() {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return std::move(text_);
}

Engine::Engine(std::string home, const base::Clock& clock) : home_(std::move(home)), clock_(clock) {
  initialise();
  gpgme_ctx_t context = nullptr;
  require(gpgme_new(&context), "gpg");
  context_.reset(context);
  require(gpgme_set_protocol(context, GPGME_PROTOCOL_OpenPGP), "gpg");
  gpgme_set_offline(context, 1);
  if (!home_.empty()) {
    require(gpgme_ctx_set_engine_info(context, GPGME_PROTOCOL_OpenPGP, nullptr, home_.c_str()),
            "gpg");
  }
}

void Engine::follow_clock() {
  const auto now = clock_.now();
  const auto system = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  if (!wrapper_ && std::chrono::abs(now - system) <= same_clock) {
    return;
  }
  const bool first = !wrapper_;
  if (first) {
    wrapper_.emplace("mgpg-", "/tmp");
  }
  const auto program = wrapper_->path() + "/gpg";
  auto script = base::open_file(program, O_WRONLY | O_CREAT | O_TRUNC, 0700);
  const auto info = gpgme_ctx_get_engine_info(context());
  static const std::string gpg = info->file_name;
  script.write(base::cat("#!/bin/sh\nexec ", base::shell_quote({gpg}),
                         " --faked-system-time=", now.time_since_epoch().count(), " \"$@\"\n"));
  script.close();
  if (first) {
    require(gpgme_ctx_set_engine_info(context(), GPGME_PROTOCOL_OpenPGP, program.c_str(),
                                      home_.empty() ? nullptr : home_.c_str()),
            "gpg");
  }
}

gpgme_error_t Engine::run(std::size_t bytes,
                          const std::function<gpgme_error_t(gpgme_ctx_t context)>& operation) {
  follow_clock();
  constexpr seconds base_limit{60};
  constexpr std::size_t slowest = 1U << 20U;  // bytes per second
  Watchdog watchdog(context(), base_limit + seconds(bytes / slowest));
  const auto error = operation(context());
  if (watchdog.expired()) {
    throw base::Error(base::Errc::failed, "gpg: no answer in time");
  }
  return error;
}

Key Engine::find_key(const std::string& fingerprint, bool secret) {
  gpgme_key_t key = nullptr;
  const auto error = run(0, [&](gpgme_ctx_t context) {
    return gpgme_get_key(context, fingerprint.c_str(), &key, secret ? 1 : 0);
  });
  if (gpgme_err_code(error) == GPG_ERR_EOF) {
    return nullptr;
  }
  require(error, base::cat("gpg: look up key ", fingerprint));
  return Key(key);
}

}  // namespace io::openpgp

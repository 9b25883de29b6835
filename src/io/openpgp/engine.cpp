#include "io/openpgp/engine.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"

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
    // Only gpg is used: without this, four programs more are run to ask what else is installed.
    gpgme_set_global_flag("disable-gpgconf", "1");
    gpgme_check_version(nullptr);
    return gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP) == 0;
  }();
  if (!done) {
    throw base::Error(base::Errc::failed, "gpg: no usable GnuPG found; install the package gnupg");
  }
}

/// GPGME's own buffer has 512 bytes: a switch of processes for each. Versions that know no other
/// are only slower.
void use_large_buffer(gpgme_data_t data) {
  gpgme_data_set_flag(data, "io-buffer-size", "65536");
}

}  // namespace

std::string reason_of(gpgme_error_t error) {
  std::array<char, 256> text{};
  gpgme_strerror_r(error, text.data(), text.size());
  return text.data();
}

bool is_strong(gpgme_hash_algo_t hash) {
  return hash == GPGME_MD_SHA256 || hash == GPGME_MD_SHA384 || hash == GPGME_MD_SHA512;
}

std::optional<base::Time> expiry_of(const _gpgme_subkey& part) {
  return part.expires > 0 ? std::optional(base::Time(seconds(part.expires))) : std::nullopt;
}

std::optional<base::Time> signing_end(const _gpgme_key& key,
                                      const std::function<bool(const _gpgme_subkey& part)>& signs) {
  const auto end = expiry_of(*key.subkeys);
  std::optional<base::Time> longest;
  for (const auto* part = key.subkeys; part != nullptr; part = part->next) {
    if (!signs(*part)) {
      continue;
    }
    const auto part_end = expiry_of(*part);
    if (!part_end) {
      return end;
    }
    longest = longest ? std::max(*longest, *part_end) : *part_end;
  }
  return longest && (!end || *longest < *end) ? longest : end;
}

Data input_of(std::string_view bytes) {
  gpgme_data_t data = nullptr;
  require(gpgme_data_new_from_mem(&data, bytes.data(), bytes.size(), 0), "gpg: take input");
  use_large_buffer(data);
  return Data(data);
}

OutputData::OutputData(Sink sink) : sink_(std::move(sink)) {
  callbacks_.write = append;
  gpgme_data_t data = nullptr;
  require(gpgme_data_new_from_cbs(&data, &callbacks_, this), "gpg: take output");
  data_.reset(data);
  use_large_buffer(data);
}

ssize_t OutputData::append(void* self, const void* bytes, size_t size) noexcept {
  auto& output = *static_cast<OutputData*>(self);
  try {
    const std::string_view piece(static_cast<const char*>(bytes), size);
    if (output.sink_) {
      output.sink_(piece);
    } else {
      output.text_.append(piece);
    }
    return static_cast<ssize_t>(size);
  } catch (...) {
    output.failure_ = std::current_exception();
    gpgme_err_set_errno(EIO);
    return -1;
  }
}

std::string OutputData::take() {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return std::move(text_);
}

Engine::Engine(std::string home, const base::Clock& clock, std::chrono::seconds limit)
    : home_(std::move(home)), clock_(clock), limit_(limit) {
  initialise();
  gpgme_ctx_t context = nullptr;
  require(gpgme_new(&context), "gpg");
  context_.reset(context);
  require(gpgme_set_protocol(context, GPGME_PROTOCOL_OpenPGP), "gpg");
  gpgme_set_offline(context, 1);
  gpgme_io_cbs callbacks{};
  callbacks.add = add_watch;
  callbacks.add_priv = this;
  callbacks.remove = remove_watch;
  callbacks.event = on_event;
  callbacks.event_priv = this;
  gpgme_set_io_cbs(context, &callbacks);
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

struct Engine::Watch {
  Engine* engine = nullptr;
  int fd = -1;
  short events = 0;
  gpgme_io_cb_t call = nullptr;
  void* call_data = nullptr;
};

gpgme_error_t Engine::add_watch(void* self, int fd, int reading, gpgme_io_cb_t call,
                                void* call_data, void** tag) noexcept {
  try {
    auto& engine = *static_cast<Engine*>(self);
    auto watch = std::make_unique<Watch>();
    *watch = {&engine, fd, static_cast<short>(reading != 0 ? POLLIN : POLLOUT), call, call_data};
    *tag = watch.get();
    engine.watches_.push_back(std::move(watch));
    return 0;
  } catch (...) {
    return gpgme_error(GPG_ERR_ENOMEM);
  }
}

void Engine::remove_watch(void* tag) noexcept {
  const auto* watch = static_cast<Watch*>(tag);
  std::erase_if(watch->engine->watches_,
                [watch](const auto& entry) { return entry.get() == watch; });
}

void Engine::on_event(void* self, gpgme_event_io_t type, void* data) noexcept {
  auto& engine = *static_cast<Engine*>(self);
  if (type == GPGME_EVENT_DONE) {
    const auto* outcome = static_cast<gpgme_io_event_done_data_t>(data);
    engine.outcome_ = outcome->err != 0 ? outcome->err : outcome->op_err;
    engine.done_ = true;
  } else if (type == GPGME_EVENT_NEXT_KEY) {
    Key key(static_cast<gpgme_key_t>(data));
    try {
      engine.keys_.push_back(std::move(key));
    } catch (...) {
      engine.outcome_ = gpgme_error(GPG_ERR_ENOMEM);
      engine.done_ = true;
    }
  }
}

void Engine::poll_watches(std::chrono::milliseconds wait) {
  std::vector<pollfd> fds;
  std::vector<const Watch*> polled;
  for (const auto& watch : watches_) {
    fds.push_back({watch->fd, watch->events, 0});
    polled.push_back(watch.get());
  }
  const auto ready = ::poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
  if (ready < 0 && errno != EINTR) {
    base::throw_errno(errno, "wait for", "gpg");
  }
  for (std::size_t i = 0; ready > 0 && i < fds.size(); ++i) {
    // A call may have taken other watches away.
    const auto still = std::any_of(watches_.begin(), watches_.end(),
                                   [&](const auto& entry) { return entry.get() == polled[i]; });
    if (still && fds[i].revents != 0) {
      polled[i]->call(polled[i]->call_data, fds[i].fd);
    }
  }
}

void Engine::loop_until(std::chrono::steady_clock::time_point deadline) {
  while (!done_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      gpgme_cancel(context());
      throw base::Error(base::Errc::failed, "gpg: no answer in time");
    }
    poll_watches(std::min(left, std::chrono::milliseconds(60'000)));
  }
}

gpgme_error_t Engine::run(std::size_t bytes,
                          const std::function<gpgme_error_t(gpgme_ctx_t context)>& start) {
  constexpr std::size_t slowest = 1U << 20U;  // bytes per second
  done_ = false;
  outcome_ = 0;
  keys_.clear();
  {
    // A program that is being written while another thread forks cannot be run: "text file busy".
    static std::mutex starting;
    const std::lock_guard lock(starting);
    follow_clock();
    if (const auto error = start(context()); error != 0) {
      return error;
    }
  }
  loop_until(std::chrono::steady_clock::now() + limit_ + seconds(bytes / slowest));
  return outcome_;
}

Key Engine::find_key(const std::string& fingerprint) {
  const auto error = run(0, [&](gpgme_ctx_t context) {
    return gpgme_op_keylist_start(context, fingerprint.c_str(), 0);
  });
  require(error, base::cat("gpg: look up key ", fingerprint));
  return keys_.size() == 1 ? std::move(keys_.front()) : nullptr;
}

Engine::~Engine() = default;

}  // namespace io::openpgp

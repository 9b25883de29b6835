#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/http/curl.h"
#include "io/http/head.h"
#include "io/http/http.h"
#include "io/http/rate.h"
#include "io/http/retry.h"

namespace io {

/// An attempt that came to nothing: what it means for the next one, and what to say if there is
/// none.
struct Rejected {
  Fault fault = Fault::transient;
  base::Error error;
  std::exception_ptr stop;  ///< no failure but a stop request
};

[[noreturn]] void reject(Fault fault, base::Errc code, std::string reason);

/// One file or document, through all its attempts. What it becomes is up to the derived class.
class Transfer {
 public:
  using Moment = RetryPolicy::Moment;

  /// `limit`: shared with other transfers, null for none.
  Transfer(const Request& request, const HttpOptions& options, std::uint64_t seed,
           RateLimit* limit = nullptr);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  virtual ~Transfer() = default;

  /// Whether there is nothing to ask the network for: over, well or not.
  bool finished_before_start();

  /// A new attempt; the handle stays ours.
  CURL* start();

  /// Told how curl ended the attempt. True: the transfer is over, see error(); false: start() it
  /// again at next_start().
  bool finish(CURLcode code, Moment now);

  Moment next_start() const { return next_start_; }

  /// Since when it waits for the rate limit, if it does.
  std::optional<Moment> paused_since() const { return paused_since_; }

  /// Lets it read on.
  void resume();

  /// Null after success.
  std::exception_ptr error() const { return error_; }

  /// Frees what only a running transfer needs.
  virtual void release();

  virtual std::string label() const;

  /// Host and port of the URL that is tried next.
  std::string host() const;

 protected:
  /// Whether what is there already will do. May throw Rejected and base::Error.
  virtual bool satisfied() { return false; }

  /// Puts the request's particular options on a handle that has the common ones.
  virtual void prepare(curl::Easy& easy) = 0;
  /// The head of the final answer, before its first byte (or its end). Throws Rejected.
  virtual void accept(const ResponseHead& head) = 0;
  /// Throws Rejected, or base::Error for a failure of our own.
  virtual void take(std::string_view bytes) = 0;
  /// The body has ended well, says curl. Throws Rejected when it cannot be.
  virtual void complete() = 0;

  /// Forgets what was received.
  virtual void restart() = 0;

  /// Whether this attempt came further than all before it: bytes that the next one need not fetch.
  virtual bool progressed() const { return false; }

  std::size_t url_index() const { return policy_.url(); }

  /// What this attempt ended at, after redirects.
  std::string effective_url() const { return curl::without_credentials(easy_->effective_url()); }

 private:
  static std::size_t on_head(char* line, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;

  void take_head_line(std::string_view line);
  void take_body(std::string_view bytes);
  void configure(curl::Easy& easy);
  void ensure_accepted();
  std::optional<Rejected> evaluate(CURLcode code);
  std::optional<Rejected> judge_status(long status) const;
  Rejected judge_code(CURLcode code) const;
  bool must_pause();
  bool fail(const Rejected& rejected, Moment now);
  void remember(const base::Error& error);

  const HttpOptions& options_;
  RateLimit* limit_;
  std::optional<Moment> paused_since_;
  std::vector<std::string> urls_;
  RetryPolicy policy_;
  std::optional<curl::Easy> easy_;
  ResponseHead head_;
  bool accepted_ = false;
  std::optional<Rejected> caught_;
  unsigned attempts_ = 0;
  Moment next_start_{};
  std::optional<base::Error> worst_;
  std::exception_ptr error_;
};

}  // namespace io

#include "io/http/transfer.h"

#include <algorithm>
#include <array>

#include "base/fs/beneath.h"
#include "base/strings.h"

namespace io {

namespace {

constexpr long most_redirects = 5;
constexpr long slowest = 1024;  // bytes per second

RetryLimits limits_of(const HttpOptions& options) {
  return {.tries = std::max(options.tries, 1U),
          .first_wait = options.first_wait,
          .longest_wait = options.longest_wait};
}

std::vector<std::string> urls_of(const Request& request) {
  std::vector<std::string> urls = {request.url};
  urls.insert(urls.end(), request.mirrors.begin(), request.mirrors.end());
  return urls;
}

bool is_transient(CURLcode code) {
  constexpr std::array transient = {CURLE_COULDNT_RESOLVE_PROXY,
                                    CURLE_COULDNT_RESOLVE_HOST,
                                    CURLE_COULDNT_CONNECT,
                                    CURLE_HTTP2,
                                    CURLE_PARTIAL_FILE,
                                    CURLE_OPERATION_TIMEDOUT,
                                    CURLE_SSL_CONNECT_ERROR,
                                    CURLE_GOT_NOTHING,
                                    CURLE_SEND_ERROR,
                                    CURLE_RECV_ERROR,
                                    CURLE_HTTP2_STREAM};
  return std::find(transient.begin(), transient.end(), code) != transient.end();
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Which of two errors tells more to somebody who gave several URLs.
int rank(base::Errc code) {
  return code == base::Errc::not_found ? 0 : code == base::Errc::untrusted ? 2 : 1;
}

}  // namespace

void reject(Fault fault, base::Errc code, std::string reason) {
  throw Rejected{fault, base::Error(code, std::move(reason)), {}};
}

Transfer::Transfer(const Request& request, const HttpOptions& options, std::uint64_t seed,
                   RateLimit* limit)
    : options_(options),
      limit_(limit),
      urls_(urls_of(request)),
      policy_(limits_of(options), urls_.size(), seed) {}

std::string Transfer::label() const {
  return base::base_name(base::redact_urls(urls_.front()));
}

std::string Transfer::host() const {
  const std::string_view url = urls_[policy_.url()];
  const auto scheme = url.find("://");
  auto authority = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  return base::to_lower(std::string(authority.substr(authority.rfind('@') + 1)));
}

void Transfer::release() {
  easy_.reset();
}

bool Transfer::finished_before_start() {
  try {
    return satisfied();
  } catch (const Rejected& rejected) {
    error_ = std::make_exception_ptr(rejected.error);
  } catch (...) {
    error_ = std::current_exception();
  }
  return true;
}

CURL* Transfer::start() {
  ++attempts_;
  head_ = {};
  accepted_ = false;
  caught_.reset();
  paused_since_.reset();
  easy_.emplace();
  configure(*easy_);
  prepare(*easy_);
  return easy_->get();
}

void Transfer::configure(curl::Easy& easy) {
  easy.prepare(urls_[policy_.url()], options_);
  easy.set<CURLOPT_FAILONERROR>(1L);
  easy.set<CURLOPT_FOLLOWLOCATION>(1L);
  easy.set<CURLOPT_MAXREDIRS>(most_redirects);
  easy.set<CURLOPT_LOW_SPEED_LIMIT>(slowest);
  easy.set<CURLOPT_LOW_SPEED_TIME>(static_cast<long>(options_.stall_time.count()));
  easy.set<CURLOPT_TCP_KEEPALIVE>(1L);
  easy.set<CURLOPT_BUFFERSIZE>((limit_ == nullptr ? 256L : 16L) * 1024);
  easy.set<CURLOPT_HEADERFUNCTION>(&Transfer::on_head);
  easy.set<CURLOPT_HEADERDATA>(this);
  easy.set<CURLOPT_WRITEFUNCTION>(&Transfer::on_body);
  easy.set<CURLOPT_WRITEDATA>(this);
  easy.set<CURLOPT_PRIVATE>(this);
}

namespace {

/// The exception that is being handled, which no other URL can help.
Rejected of_our_own() {
  const auto thrown = std::current_exception();
  try {
    return {Fault::fatal, base::as_error(thrown), {}};
  } catch (const base::Stopped& stop) {
    return {Fault::fatal, base::Error(base::Errc::failed, stop.message()), thrown};
  }
}

/// No exception may cross curl's frames: it is kept, and curl is told to stop by a short count.
template <typename Body>
std::size_t guarded(std::size_t size, std::optional<Rejected>& caught, Body&& body) noexcept {
  try {
    body();
    return size;
  } catch (const Rejected& rejected) {
    caught = rejected;
  } catch (...) {
    caught = of_our_own();
  }
  return size == 0 ? 1 : 0;
}

}  // namespace

std::size_t Transfer::on_head(char* line, std::size_t size, std::size_t count,
                              void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view text(line, size * count);
  return guarded(text.size(), transfer.caught_, [&] { transfer.take_head_line(text); });
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count,
                              void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.must_pause()) {
    return CURL_WRITEFUNC_PAUSE;  // the same bytes come again after resume()
  }
  const std::string_view text(bytes, size * count);
  return guarded(text.size(), transfer.caught_, [&] { transfer.take_body(text); });
}

void Transfer::take_head_line(std::string_view line) {
  if (accepted_) {
    return;  // a trailer of a chunked body: nothing in it may change what was accepted
  }
  head_.take_line(line);
  if (has_control(head_.location)) {
    reject(Fault::dead_url, base::Errc::untrusted, "a redirect with control characters");
  }
  // libcurl knows only which protocols a redirect may lead to, not where it came from.
  if (base::to_lower(head_.location.substr(0, 5)) == "http:" &&
      curl::is_https(easy_->effective_url())) {
    reject(Fault::dead_url, base::Errc::untrusted, "a redirect from https to http");
  }
}

bool Transfer::must_pause() {
  const auto now = std::chrono::steady_clock::now();
  if (limit_ == nullptr || limit_->open(now)) {
    return false;
  }
  paused_since_ = now;
  return true;
}

void Transfer::resume() {
  paused_since_.reset();
  curl::library().easy_pause(easy_->get(), CURLPAUSE_CONT);
}

void Transfer::take_body(std::string_view bytes) {
  if (limit_ != nullptr) {
    limit_->take(bytes.size());
  }
  ensure_accepted();
  take(bytes);
}

void Transfer::ensure_accepted() {
  if (!accepted_) {
    if (!head_.fault.empty()) {
      reject(Fault::dead_url, base::Errc::untrusted, head_.fault);
    }
    accepted_ = true;
    accept(head_);
  }
}

bool Transfer::finish(CURLcode code, Moment now) {
  auto rejected = evaluate(code);
  if (!rejected) {
    error_ = nullptr;
    return true;
  }
  if (rejected->fault == Fault::restart) {
    try {
      restart();
    } catch (const base::Error& error) {
      rejected = Rejected{Fault::fatal, error, {}};
    }
  }
  return fail(*rejected, now);
}

std::optional<Rejected> Transfer::evaluate(CURLcode code) {
  if (caught_) {
    return caught_;
  }
  // Before curl's own code: what curl says of 416, for one, depends on the server's other headers.
  if (auto rejected = judge_status(easy_->status())) {
    return rejected;
  }
  if (code != CURLE_OK) {
    return judge_code(code);
  }
  try {
    ensure_accepted();
    complete();
    return std::nullopt;
  } catch (const Rejected& rejected) {
    return rejected;
  } catch (...) {
    return of_our_own();
  }
}

std::optional<Rejected> Transfer::judge_status(long status) const {
  constexpr long range_not_satisfiable = 416;
  if (status < 400) {
    return std::nullopt;
  }
  const auto reason = base::cat("HTTP ", status);
  const auto rejected = [&](Fault fault, base::Errc errc = base::Errc::failed) {
    return Rejected{fault, base::Error(errc, reason), {}};
  };
  if (status == 404 || status == 410) {
    return rejected(Fault::dead_url, base::Errc::not_found);
  }
  if (status == range_not_satisfiable) {
    return rejected(Fault::restart);
  }
  const bool busy = status == 408 || status == 425 || status == 429;
  const bool hopeless = status == 501 || status == 505;
  return rejected(busy || (status >= 500 && !hopeless) ? Fault::transient : Fault::dead_url);
}

Rejected Transfer::judge_code(CURLcode code) const {
  // What is no HTTP may be what an answer before it left in the connection.
  const bool leftover = code == CURLE_UNSUPPORTED_PROTOCOL && easy_->reused_connection();
  const auto fault = is_transient(code) || leftover ? Fault::transient : Fault::dead_url;
  return {fault, base::Error(base::Errc::failed, base::redact_urls(easy_->reason(code))), {}};
}

bool Transfer::fail(const Rejected& rejected, Moment now) {
  if (rejected.stop) {
    error_ = rejected.stop;
    return true;
  }
  const auto wait = easy_->retry_after();
  const Failure failure{rejected.fault, progressed(),
                        wait > 0 ? std::optional(std::chrono::seconds(wait)) : std::nullopt};
  auto error = rejected.error;
  error.add_context(base::cat("fetch ", base::redact_urls(urls_[policy_.url()])));
  remember(error);
  const auto again = policy_.after(failure, now);
  if (!again) {
    if (attempts_ > 1) {
      worst_->set_state(base::cat("given up after ", attempts_, " tries"));
    }
    error_ = std::make_exception_ptr(rejected.fault == Fault::fatal ? error : *worst_);
    return true;
  }
  next_start_ = again->at;
  return false;
}

void Transfer::remember(const base::Error& error) {
  if (!worst_ || rank(error.code()) >= rank(worst_->code())) {
    worst_ = error;
  }
}

}  // namespace io

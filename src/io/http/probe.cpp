#include "io/http/probe.h"

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/http/curl.h"

namespace io {

namespace {

constexpr long longest_probe = 60;  // seconds

std::size_t on_head(char* line, std::size_t size, std::size_t count, void* answer) noexcept {
  try {
    static_cast<ResponseHead*>(answer)->take_line({line, size * count});
    return size * count;
  } catch (...) {  // out of memory: curl ends the transfer
    return 0;
  }
}

/// The body is not wanted: curl ends the transfer at its first byte.
std::size_t on_body(char* /*bytes*/, std::size_t /*size*/, std::size_t /*count*/,
                    void* /*self*/) noexcept {
  return 0;
}

/// Called often: curl ends the transfer where it is not zero.
int on_progress(void* stop, curl_off_t /*size*/, curl_off_t /*got*/, curl_off_t /*to_send*/,
                curl_off_t /*sent*/) noexcept {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

ResponseHead ask(const std::string& url, const HttpOptions& options, bool head,
                 const std::stop_token& stop) {
  ResponseHead answer;
  curl::Easy easy;
  easy.prepare(url, options);
  easy.set<CURLOPT_NOBODY>(head ? 1L : 0L);
  easy.set<CURLOPT_FOLLOWLOCATION>(0L);
  easy.set<CURLOPT_TIMEOUT>(longest_probe);
  easy.set<CURLOPT_NOPROGRESS>(0L);
  easy.set<CURLOPT_XFERINFOFUNCTION>(&on_progress);
  easy.set<CURLOPT_XFERINFODATA>(&stop);
  easy.add_header("Accept-Encoding: gzip, deflate");
  easy.set<CURLOPT_HEADERFUNCTION>(&on_head);
  easy.set<CURLOPT_HEADERDATA>(&answer);
  easy.set<CURLOPT_WRITEFUNCTION>(&on_body);
  const auto code = curl::library().easy_perform(easy.get());
  base::check_stop(stop);
  const bool ended_by_us = !head && code == CURLE_WRITE_ERROR && answer.status != 0;
  if (code != CURLE_OK && !ended_by_us) {
    throw base::Error(base::Errc::failed, base::cat("probe ", base::redact_urls(url), ": ",
                                                    base::redact_urls(easy.reason(code))));
  }
  return answer;
}

}  // namespace

ResponseHead probe(const std::string& url, const HttpOptions& options,
                   const std::stop_token& stop) {
  constexpr long method_not_allowed = 405;
  constexpr long not_implemented = 501;
  if (!is_http_url(url)) {
    throw base::Error(base::Errc::usage, base::cat(url, ": no http or https URL"));
  }
  const auto answer = ask(url, options, true, stop);
  const bool no_head = answer.status == method_not_allowed || answer.status == not_implemented;
  return no_head ? ask(url, options, false, stop) : answer;
}

bool is_dropped(const std::string& url, std::chrono::milliseconds time) {
  curl::Easy easy;
  easy.set_text<CURLOPT_URL>(url);
  easy.set_text<CURLOPT_NOPROXY>("*");
  easy.set<CURLOPT_NOSIGNAL>(1L);
  easy.set<CURLOPT_CONNECT_ONLY>(1L);
  easy.set<CURLOPT_CONNECTTIMEOUT_MS>(static_cast<long>(time.count()));
  return curl::library().easy_perform(easy.get()) == CURLE_OPERATION_TIMEDOUT;
}

}  // namespace io

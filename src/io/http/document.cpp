#include "io/http/document.h"

#include <algorithm>

#include "base/strings.h"

namespace io {

namespace {

constexpr std::uint64_t default_max_bytes = 256U << 20U;

[[noreturn]] void too_big(std::uint64_t limit) {
  reject(Fault::dead_url, base::Errc::untrusted,
         base::cat("larger than the ", limit, " bytes that are allowed here"));
}

}  // namespace

DocumentTransfer::DocumentTransfer(const Request& request, const HttpOptions& options,
                                   std::uint64_t seed)
    : Transfer(request, options, seed),
      request_(request),
      max_bytes_(request.max_bytes != 0 ? request.max_bytes : default_max_bytes) {}

void DocumentTransfer::prepare(curl::Easy& easy) {
  restart();
  if (request_.save_to == nullptr) {
    easy.set_text<CURLOPT_ACCEPT_ENCODING>("gzip");
  }
  if (!request_.known_etag.empty()) {
    easy.add_header(base::cat("If-None-Match: ", request_.known_etag));
  } else if (!request_.known_date.empty()) {
    easy.add_header(base::cat("If-Modified-Since: ", request_.known_date));
  }
}

void DocumentTransfer::accept(const ResponseHead& head) {
  document_.etag = head.etag;
  document_.last_modified = head.last_modified;
  document_.strong_date = head.strong_date();
  document_.not_modified =
      head.status == 304 && !(request_.known_etag.empty() && request_.known_date.empty());
  if (head.status != 200 && !document_.not_modified) {
    reject(Fault::dead_url, base::Errc::failed, base::cat("unexpected HTTP ", head.status));
  }
  if (!document_.not_modified && head.encoding.empty() && head.length.value_or(0) > max_bytes_) {
    too_big(max_bytes_);
  }
}

void DocumentTransfer::take(std::string_view bytes) {
  // Decoded bytes: a small answer may unpack to a large one.
  if (bytes.size() > max_bytes_ - have_) {
    too_big(max_bytes_);
  }
  have_ += bytes.size();
  if (request_.save_to != nullptr) {
    request_.save_to->write(bytes);
  } else {
    document_.body += bytes;
  }
}

void DocumentTransfer::complete() {
  document_.url = effective_url();
}

void DocumentTransfer::restart() {
  document_ = {};
  have_ = 0;
  if (request_.save_to != nullptr) {
    request_.save_to->truncate(0);
    request_.save_to->seek(0);
  }
}

}  // namespace io

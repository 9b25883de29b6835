#include "io/http/download.h"

#include <algorithm>

#include "base/process/stop.h"
#include "base/strings.h"

namespace io {

DownloadTransfer::DownloadTransfer(FileRequest& request, const HttpOptions& options,
                                   std::uint64_t seed, base::Progress& progress, RateLimit* limit,
                                   std::stop_token stop)
    : Transfer(request, options, seed, limit),
      request_(request),
      progress_(progress),
      stop_(std::move(stop)) {}

void DownloadTransfer::release() {
  Transfer::release();
  received_.reset();
}

bool DownloadTransfer::satisfied() {
  hash_what_is_there();
  if (have_ != request_.size) {
    return false;
  }
  if (received_->hex() == request_.digest) {
    received_.reset();
    return true;
  }
  restart();
  return false;
}

/// A part of an earlier run is believed only as far as the digest of the whole will bear it out.
void DownloadTransfer::hash_what_is_there() {
  received_.emplace(*request_.into, request_.algorithm);
  have_ = 0;
  const auto size = request_.into->size();
  if (size > request_.size) {
    restart();
  }
  if (size == 0 || size > request_.size) {
    return;
  }
  std::string buffer(1U << 18U, '\0');
  request_.into->seek(0);
  while (const auto count = request_.into->read(buffer)) {
    base::check_stop(stop_);
    received_->digest(std::string_view(buffer).substr(0, count));
    advance(count);
  }
}

void DownloadTransfer::advance(std::uint64_t bytes) {
  have_ += bytes;
  // After a restart the same bytes come again; they are told once.
  if (have_ > reported_) {
    progress_.add_bytes(have_ - reported_);
    reported_ = have_;
  }
}

void DownloadTransfer::restart() {
  received_.reset();  // with what still waits to be written
  request_.into->truncate(0);
  request_.etag.clear();
  received_.emplace(*request_.into, request_.algorithm);
  have_ = 0;
  pieced_ = false;
}

void DownloadTransfer::prepare(curl::Easy& easy) {
  received_->flush();
  request_.into->seek(have_);
  reported_before_ = reported_;
  pieced_ = have_ > 0;
  if (have_ == 0) {
    return;
  }
  // Not CURLOPT_RESUME_FROM: its checks are fewer than ours, and it fails where a server that
  // ignores ranges offers the whole.
  easy.set_text<CURLOPT_RANGE>(base::cat(have_, "-"));
  if (!request_.etag.empty() && etag_url_ == url_index()) {
    easy.add_header(base::cat("If-Range: ", request_.etag));
  }
}

void DownloadTransfer::accept(const ResponseHead& head) {
  const bool part = head.status == 206 && have_ > 0;
  if (part) {
    accept_part(head);
  } else if (head.status != 200) {
    reject(Fault::dead_url, base::Errc::failed, base::cat("unexpected HTTP ", head.status));
  }
  const auto due = part ? request_.size - have_ : request_.size;
  if (head.length && *head.length != due) {
    reject(Fault::dead_url, base::Errc::untrusted,
           base::cat("offers ", *head.length, " bytes where ", due, " should come"));
  }
  if (!part && have_ > 0) {
    restart();  // the range was ignored: the whole comes, from its first byte
    request_.into->seek(0);
  }
  request_.etag = head.strong_etag();
  etag_url_ = url_index();
}

void DownloadTransfer::accept_part(const ResponseHead& head) {
  const bool fits = head.range && head.range->first == have_ &&
                    head.range->last + 1 == request_.size &&
                    head.range->total.value_or(request_.size) == request_.size;
  const bool same = request_.etag.empty() || head.etag.empty() || etag_url_ != url_index() ||
                    head.etag == request_.etag;
  if (!fits || !same) {
    reject(Fault::restart, base::Errc::untrusted,
           same ? "a part was sent that is not the one asked for" : "changed on the server");
  }
}

void DownloadTransfer::take(std::string_view bytes) {
  if (bytes.size() > request_.size - have_) {
    reject(Fault::dead_url, base::Errc::untrusted,
           base::cat("more than the promised ", request_.size, " bytes"));
  }
  received_->append(bytes);
  advance(bytes.size());
}

void DownloadTransfer::complete() {
  if (have_ < request_.size) {
    reject(Fault::transient, base::Errc::failed,
           base::cat("ended after ", have_, " of ", request_.size, " bytes"));
  }
  check_digest();
}

void DownloadTransfer::check_digest() {
  const auto found = received_->hex();
  if (found == request_.digest) {
    return;
  }
  // Wrong bytes are never left where a later run would build on them.
  const bool once_more = pieced_ && !full_retry_used_;
  restart();
  full_retry_used_ = full_retry_used_ || once_more;
  reject(once_more ? Fault::restart : Fault::dead_url, base::Errc::untrusted,
         base::cat("digest is ", found, " and not ", request_.digest));
}

}  // namespace io

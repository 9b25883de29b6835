// The head of an HTTP answer, line by line, and what to do after answers like it: a range makes
// sense, a tag fit for If-Range is a strong one, and trying again comes to an end.
#include <string>

#include "base/clock.h"
#include "base/strings.h"
#include "io/http/head.h"
#include "io/http/retry.h"
#include "tests/fuzz/fuzz.h"

namespace {

void read_head(std::string_view text) {
  io::ResponseHead head;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    head.take_line(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  if (head.range) {
    fuzz::require(head.range->first <= head.range->last);
    fuzz::require(!head.range->total || head.range->last < *head.range->total);
  }
  const auto tag = head.strong_etag();
  fuzz::require(tag.empty() || (tag.front() == '"' && tag.find('\n') == std::string::npos &&
                                tag.find('\r') == std::string::npos));
  fuzz::require(head.strong_date().empty() || head.strong_date() == head.last_modified);
  fuzz::require(head.status >= 0 && head.status <= 9999);
}

/// A byte is a failure; the policy has to give up within its limits, and never to go back in time.
void retry(std::string_view bytes) {
  io::RetryLimits limits;
  limits.tries = 1 + static_cast<unsigned>(bytes.size() % 7);
  limits.tries_in_all = 40;
  const std::size_t urls = 1 + bytes.size() % 3;
  io::RetryPolicy policy(limits, urls, bytes.size());
  io::RetryPolicy::Moment now{};
  unsigned tries = 0;
  for (const char byte : bytes) {
    const auto bits = static_cast<unsigned char>(byte);
    io::Failure failure;
    failure.fault = static_cast<io::Fault>(bits & 3U);
    failure.progressed = (bits & 4U) != 0;
    if ((bits & 8U) != 0) {
      failure.retry_after = std::chrono::seconds((bits >> 4U) * 30);
    }
    const auto again = policy.after(failure, now);
    if (!again) {
      return;
    }
    fuzz::require(++tries < limits.tries_in_all);
    fuzz::require(again->url < urls && again->url == policy.url() && again->at >= now);
    fuzz::require(again->at - now <= limits.longest_wait + limits.longest_retry_after);
    now = again->at;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  read_head(text);
  retry(text.substr(0, 200));
  static_cast<void>(io::parse_content_range(text));
  return 0;
}

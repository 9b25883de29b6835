#include "io/http_curl.h"

#include <mutex>
#include <new>

#include "base/error.h"
#include "base/strings.h"

namespace io::curl {

namespace {

void initialise() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw base::Error(base::Errc::failed, "libcurl cannot be initialised");
    }
  });
}

struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

struct EndUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

}  // namespace

Multi make_multi() {
  initialise();
  Multi multi(curl_multi_init());
  if (!multi) {
    throw std::bad_alloc();
  }
  return multi;
}

void refuse_option(CURLoption option, CURLcode code) {
  throw base::Error(base::Errc::internal,
                    base::cat("libcurl refuses option ", static_cast<int>(option), ": ",
                              curl_easy_strerror(code)));
}

Easy::Easy()
    : error_(std::make_unique<char[]>(CURL_ERROR_SIZE)),  // NOLINT(modernize-avoid-c-arrays)
      handle_(curl_easy_init()) {
  if (!handle_) {
    throw std::bad_alloc();
  }
  set<CURLOPT_ERRORBUFFER>(error_.get());
}

void Easy::add_header(const std::string& line) {
  auto* longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(headers_.release());
  headers_.reset(longer);
  set<CURLOPT_HTTPHEADER>(headers_.get());
}

std::string Easy::effective_url() const {
  char* url = nullptr;
  curl_easy_getinfo(get(), CURLINFO_EFFECTIVE_URL, &url);
  return url != nullptr ? url : "";
}

long Easy::status() const {
  long status = 0;
  curl_easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

long Easy::retry_after() const {
  curl_off_t wait = 0;
  curl_easy_getinfo(get(), CURLINFO_RETRY_AFTER, &wait);
  return static_cast<long>(wait);
}

bool Easy::reused_connection() const {
  long made = 0;
  curl_easy_getinfo(get(), CURLINFO_NUM_CONNECTS, &made);
  return made == 0;
}

std::string Easy::reason(CURLcode code) const {
  const std::string particular = error_.get();
  return std::string(base::trim(particular.empty() ? curl_easy_strerror(code) : particular));
}

std::string without_credentials(const std::string& url) {
  const std::unique_ptr<CURLU, EndUrl> parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return base::redact_urls(url);
  }
  curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  char* text = nullptr;
  if (curl_url_get(parsed.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return base::redact_urls(url);
  }
  return std::unique_ptr<char, FreeText>(text).get();
}

}  // namespace io::curl

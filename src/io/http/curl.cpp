#include "io/http/curl.h"

#include <new>

#include <dlfcn.h>

#include "base/error.h"
#include "base/strings.h"

namespace io::curl {

namespace {

Library loaded() {
  Library library;
  if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw base::Error(base::Errc::failed, "libcurl cannot be initialised");
  }
  return library;
}

void set_protocols(Easy& easy, bool secure) {
#if LIBCURL_VERSION_NUM >= 0x075500
  easy.set<CURLOPT_PROTOCOLS_STR>("http,https");
  easy.set<CURLOPT_REDIR_PROTOCOLS_STR>(secure ? "https" : "http,https");
#else
  constexpr long https_only = CURLPROTO_HTTPS;
  constexpr long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
  easy.set<CURLOPT_PROTOCOLS>(both);
  easy.set<CURLOPT_REDIR_PROTOCOLS>(secure ? https_only : both);
#endif
}

}  // namespace

const Library& library() {
  static const Library library = loaded();
  return library;
}

Multi make_multi() {
  Multi multi(library().multi_init());
  if (!multi) {
    throw std::bad_alloc();
  }
  return multi;
}

void refuse_option(CURLoption option, CURLcode code) {
  throw base::Error(base::Errc::internal,
                    base::cat("libcurl refuses option ", static_cast<int>(option), ": ",
                              library().easy_strerror(code)));
}

Easy::Easy()
    : error_(std::make_unique<char[]>(CURL_ERROR_SIZE)),  // NOLINT(modernize-avoid-c-arrays)
      handle_(library().easy_init()) {
  if (!handle_) {
    throw std::bad_alloc();
  }
  set<CURLOPT_ERRORBUFFER>(error_.get());
}

void Easy::prepare(const std::string& url, const HttpOptions& options) {
  set_text<CURLOPT_URL>(url);
  set_protocols(*this, is_https(url));
  set<CURLOPT_NOSIGNAL>(1L);
  set<CURLOPT_HTTP_VERSION>(static_cast<long>(CURL_HTTP_VERSION_1_1));
  set<CURLOPT_SSLVERSION>(static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set<CURLOPT_CONNECTTIMEOUT_MS>(static_cast<long>(options.connect_time.count()));
  set<CURLOPT_SUPPRESS_CONNECT_HEADERS>(1L);
  set_text<CURLOPT_USERAGENT>(options.user_agent.empty() ? "meph2" : options.user_agent);
  if (!options.ca_file.empty()) {
    set_text<CURLOPT_CAINFO>(options.ca_file);
  }
  if (options.netrc) {
    set<CURLOPT_NETRC>(static_cast<long>(CURL_NETRC_OPTIONAL));
  }
}

void Easy::add_header(const std::string& line) {
  auto* longer = library().slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(headers_.release());
  headers_.reset(longer);
  set<CURLOPT_HTTPHEADER>(headers_.get());
}

std::string Easy::effective_url() const {
  char* url = nullptr;
  library().easy_getinfo(get(), CURLINFO_EFFECTIVE_URL, &url);
  return url != nullptr ? url : "";
}

long Easy::status() const {
  long status = 0;
  library().easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

long Easy::retry_after() const {
  curl_off_t wait = 0;
  library().easy_getinfo(get(), CURLINFO_RETRY_AFTER, &wait);
  return static_cast<long>(wait);
}

bool Easy::reused_connection() const {
  long made = 0;
  library().easy_getinfo(get(), CURLINFO_NUM_CONNECTS, &made);
  return made == 0;
}

std::string Easy::reason(CURLcode code) const {
  const std::string particular = error_.get();
  return std::string(base::trim(particular.empty() ? library().easy_strerror(code) : particular));
}

bool is_https(const std::string& url) {
  return base::to_lower(url.substr(0, 8)) == "https://";
}

std::string without_credentials(const std::string& url) {
  const std::unique_ptr<CURLU, base::FreedBy<library, &Library::url_cleanup>> parsed(
      library().url());
  if (!parsed || library().url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return base::redact_urls(url);
  }
  library().url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  library().url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  char* text = nullptr;
  if (library().url_get(parsed.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return base::redact_urls(url);
  }
  return std::unique_ptr<char, base::FreedBy<library, &Library::free>>(text).get();
}

}  // namespace io::curl

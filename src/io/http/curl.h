#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <curl/curl.h>

#include "base/process/shared_library.h"
#include "io/http/http.h"

namespace io::curl {

/// The functions of libcurl that are called here, under their names without "curl_".
struct Library : base::SharedLibrary {
  Library() : SharedLibrary("libcurl.so.4", "downloading") {}

  decltype(&::curl_global_init) global_init = symbol("curl_global_init");
  decltype(&::curl_free) free = symbol("curl_free");
  decltype(&::curl_easy_init) easy_init = symbol("curl_easy_init");
  decltype(&::curl_easy_cleanup) easy_cleanup = symbol("curl_easy_cleanup");
  decltype(&::curl_easy_setopt) easy_setopt = symbol("curl_easy_setopt");
  decltype(&::curl_easy_getinfo) easy_getinfo = symbol("curl_easy_getinfo");
  decltype(&::curl_easy_perform) easy_perform = symbol("curl_easy_perform");
  decltype(&::curl_easy_pause) easy_pause = symbol("curl_easy_pause");
  decltype(&::curl_easy_strerror) easy_strerror = symbol("curl_easy_strerror");
  decltype(&::curl_multi_init) multi_init = symbol("curl_multi_init");
  decltype(&::curl_multi_cleanup) multi_cleanup = symbol("curl_multi_cleanup");
  decltype(&::curl_multi_add_handle) multi_add_handle = symbol("curl_multi_add_handle");
  decltype(&::curl_multi_remove_handle) multi_remove_handle = symbol("curl_multi_remove_handle");
  decltype(&::curl_multi_perform) multi_perform = symbol("curl_multi_perform");
  decltype(&::curl_multi_poll) multi_poll = symbol("curl_multi_poll");
  decltype(&::curl_multi_wakeup) multi_wakeup = symbol("curl_multi_wakeup");
  decltype(&::curl_multi_info_read) multi_info_read = symbol("curl_multi_info_read");
  decltype(&::curl_multi_strerror) multi_strerror = symbol("curl_multi_strerror");
  decltype(&::curl_slist_append) slist_append = symbol("curl_slist_append");
  decltype(&::curl_slist_free_all) slist_free_all = symbol("curl_slist_free_all");
  decltype(&::curl_url) url = symbol("curl_url");
  decltype(&::curl_url_cleanup) url_cleanup = symbol("curl_url_cleanup");
  decltype(&::curl_url_get) url_get = symbol("curl_url_get");
  decltype(&::curl_url_set) url_set = symbol("curl_url_set");
};

/// libcurl, loaded and initialised on first use. Throws Error(failed) where that cannot be done.
const Library& library();

using Multi = std::unique_ptr<CURLM, base::FreedBy<library, &Library::multi_cleanup>>;
using List = std::unique_ptr<curl_slist, base::FreedBy<library, &Library::slist_free_all>>;

/// A new multi handle.
Multi make_multi();

[[noreturn]] void refuse_option(CURLoption option, CURLcode code);

/// A handle for one transfer. C++ gets no type checking of curl_easy_setopt: a wrong width compiles
/// and is taken. Here the option's number range decides which types it takes.
class Easy {
 public:
  Easy();

  CURL* get() const { return handle_.get(); }

  template <CURLoption option, typename T>
  void set(T value) {
    constexpr auto kind = static_cast<int>(option) / 10000;
    static_assert(kind != 0 || std::is_same_v<T, long>, "this option takes long");
    static_assert(kind != 1 || std::is_pointer_v<T>, "this option takes a pointer");
    static_assert(kind != 2 || std::is_pointer_v<T>, "this option takes a function");
    static_assert(kind != 3 || std::is_same_v<T, curl_off_t>, "this option takes curl_off_t");
    if (const auto code = library().easy_setopt(get(), option, value); code != CURLE_OK) {
      refuse_option(option, code);
    }
  }

  /// Copied by curl.
  template <CURLoption option>
  void set_text(const std::string& value) {
    set<option>(value.c_str());
  }

  /// What every request has: where to, over which protocols, as whom, whom to believe.
  void prepare(const std::string& url, const HttpOptions& options);

  /// Sent with the request, in addition to curl's own.
  void add_header(const std::string& line);

  /// Text and number of what curl knows about the transfer.
  std::string effective_url() const;
  long status() const;
  long retry_after() const;
  bool reused_connection() const;

  /// The particular reason of a failure where curl gives one, else the general one.
  std::string reason(CURLcode code) const;

 private:
  // The handle goes first: it may look at the other two to its end.
  List headers_;
  std::unique_ptr<char[]> error_;  // NOLINT(modernize-avoid-c-arrays): curl writes into it
  std::unique_ptr<CURL, base::FreedBy<library, &Library::easy_cleanup>> handle_;
};

bool is_https(const std::string& url);

/// A URL without user and password.
std::string without_credentials(const std::string& url);

}  // namespace io::curl

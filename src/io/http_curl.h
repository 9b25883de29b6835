#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <curl/curl.h>

namespace io::curl {

struct EndEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

struct EndMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using Multi = std::unique_ptr<CURLM, EndMulti>;
using List = std::unique_ptr<curl_slist, FreeList>;

/// A new multi handle; makes libcurl ready on first use.
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
    if (const auto code = curl_easy_setopt(get(), option, value); code != CURLE_OK) {
      refuse_option(option, code);
    }
  }

  /// Copied by curl.
  template <CURLoption option>
  void set_text(const std::string& value) {
    set<option>(value.c_str());
  }

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
  std::unique_ptr<CURL, EndEasy> handle_;
};

/// A URL without user and password.
std::string without_credentials(const std::string& url);

}  // namespace io::curl

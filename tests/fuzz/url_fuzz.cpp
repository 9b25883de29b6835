// A location or URL: split where its streams/v1 begins, shown without its credentials, and a path
// encoded so that it comes back.
#include <string>

#include "base/strings.h"
#include "io/http/curl.h"
#include "io/http/http.h"
#include "sstream/source/content_source.h"
#include "tests/fuzz/fuzz.h"

namespace {

void split(const std::string& where) {
  const auto [base, path] = sstream::split_location(where);
  fuzz::require(base.ends_with('/'));
  if (path.empty()) {
    fuzz::require(base == where || base == where + "/");
  } else {
    fuzz::require(base + path == where || "./" + where == base + path);
    fuzz::require(path.starts_with("streams/v1/"));
  }
}

/// No "://...@" is left, wherever it stands.
void redact(std::string_view text) {
  const auto shown = base::redact_urls(text);
  fuzz::require(base::redact_urls(shown) == shown);
  for (auto at = shown.find("://"); at != std::string::npos; at = shown.find("://", at + 1)) {
    const auto end = shown.find_first_of("/?#@ \t\n", at + 3);
    fuzz::require(end == std::string::npos || shown[end] != '@');
  }
}

void hide_password(std::string_view password) {
  if (password.empty() ||
      password.find_first_of(std::string_view("/?#@ \t\r\n\0", 10)) != std::string_view::npos) {
    return;
  }
  const auto url = base::cat("http://u:<", password, ">@h/p");
  const auto secret = base::cat("<", password, ">");
  const auto shown = base::redact_urls(base::cat("fetch '", url, "': refused"));
  fuzz::require(shown.find(secret) == std::string::npos);
  fuzz::require(io::curl::without_credentials(url).find(secret) == std::string::npos);
}

int digit(char c) {
  return c <= '9' ? c - '0' : c - 'A' + 10;
}

void encode(std::string_view path) {
  const auto encoded = base::percent_encode_path(path);
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    fuzz::require(encoded[i] > ' ' && encoded[i] != '?' && encoded[i] != '#');
    if (encoded[i] == '%') {
      decoded += static_cast<char>(digit(encoded[i + 1]) * 16 + digit(encoded[i + 2]));
      i += 2;
    } else {
      decoded += encoded[i];
    }
  }
  fuzz::require(decoded == path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  split(std::string(text));
  redact(text);
  hide_password(text);
  encode(text);
  static_cast<void>(io::is_http_url(std::string(text)));
  return 0;
}

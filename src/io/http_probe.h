#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "io/http.h"

namespace io {

/// How a server answers for one file, before anybody follows or decodes anything.
struct ProbeAnswer {
  long status = 0;       ///< of the first answer: 3xx is a redirect
  std::string location;  ///< where a redirect leads
  std::optional<std::uint64_t> length;
  std::string encoding;       ///< Content-Encoding, empty: none
  std::string cache_control;  ///< as sent
};

/// One HEAD request that says it takes compressed answers, as browsers and httpx do; where the
/// server knows no HEAD, a GET that ends before its body. Error(failed) where there is no answer at
/// all (certificate, connection, time).
ProbeAnswer probe(const std::string& url, const HttpOptions& options);

/// Whether a connection to the server of the URL is neither made nor refused in this time, as where
/// a firewall drops it. No proxy is asked.
bool is_dropped(const std::string& url, std::chrono::milliseconds time);

}  // namespace io

#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "io/http/http.h"

namespace io {

/// See HttpClient::probe().
ResponseHead probe(const std::string& url, const HttpOptions& options, const std::stop_token& stop);

/// Whether a connection to the server of the URL is neither made nor refused in this time, as where
/// a firewall drops it. No proxy is asked.
bool is_dropped(const std::string& url, std::chrono::milliseconds time);

}  // namespace io

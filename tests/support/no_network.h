#pragma once

#include "base/error.h"
#include "io/http/http.h"

namespace support {

/// No test of this program may reach for the network.
class NoNetwork : public io::HttpClient {
 public:
  std::optional<io::Document> get(const io::Request& request, const std::stop_token&) override {
    throw base::Error(base::Errc::internal, "unexpected request for " + request.url);
  }

  void fetch(std::vector<io::FileRequest>&, base::Progress&,
             const std::function<void(std::size_t, std::exception_ptr)>&,
             const std::stop_token&) override {
    throw base::Error(base::Errc::internal, "unexpected download");
  }

  io::ResponseHead probe(const std::string& url, const std::stop_token&) override {
    throw base::Error(base::Errc::failed, "unexpected probe of " + url);
  }
};

}  // namespace support

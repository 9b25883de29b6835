#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "tests/support/http_server.h"

/// A server and a client that is quick to give up.
class HttpTest : public testing::Test {
 protected:
  static io::HttpOptions quick() {
    io::HttpOptions options;
    options.first_wait = std::chrono::milliseconds(4);
    options.longest_wait = std::chrono::milliseconds(8);
    options.connect_time = std::chrono::milliseconds(2000);
    options.stall_time = std::chrono::seconds(1);
    return options;
  }

  /// Bytes that do not repeat, so that a part put in the wrong place shows.
  static std::string content_of(std::size_t size) {
    std::string content;
    for (std::size_t i = 0; content.size() < size; ++i) {
      content += base::cat(i, ' ');
    }
    content.resize(size);
    return content;
  }

  support::HttpServer server;
  std::unique_ptr<io::HttpClient> client = io::make_http_client(quick());
};

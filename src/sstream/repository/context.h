#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "io/http/http.h"

namespace sstream {

/// What a verb may use of the world around it. Borrows only.
struct Context {
  const base::Clock& clock;
  const base::Log& log;
  base::Progress& progress;
  io::HttpClient& http;
  std::stop_token stop;
  /// One line of result, to stdout.
  std::function<void(const std::string& line)> print;
};

}  // namespace sstream

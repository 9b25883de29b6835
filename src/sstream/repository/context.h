#pragma once

#include <stop_token>

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

  /// The same world but for one thing, which is borrowed as well.
  Context with(const base::Log& other) const { return {clock, other, progress, http, stop}; }

  Context with(base::Progress& other) const { return {clock, log, other, http, stop}; }

  Context with(io::HttpClient& other) const { return {clock, log, progress, other, stop}; }
};

}  // namespace sstream

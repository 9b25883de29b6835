#include "base/log.h"

#include <unistd.h>

#include "base/strings.h"

namespace base {

Log::Log(std::string tag, LogLevel threshold, Sink sink)
    : tag_(std::move(tag)), threshold_(threshold), sink_(std::move(sink)) {}

void Log::write(LogLevel level, std::string_view text) const {
  if (level < threshold_) {
    return;
  }
  const auto clean = escape_control(redact_urls(text));
  if (sink_) {
    sink_(level, clean);
    return;
  }
  // One write per line: lines of concurrent processes do not mix. A log that cannot be written
  // must not stop a publication.
  const auto* kind = level == LogLevel::warning ? "warning: "
                     : level == LogLevel::error ? "error: "
                                                : "";
  const auto line = cat("[meph2:", tag_, "] ", kind, clean, "\n");
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace base

#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace base {

enum class LogLevel { debug, info, warning, error };

/// Where log lines go. Lines are escaped and stripped of secrets before they reach the sink, so
/// that nobody has to remember to.
class Log {
 public:
  using Sink = std::function<void(LogLevel level, const std::string& line)>;

  /// Without a sink: lines go to stderr as "[meph2:tag] text" ("warning: " and "error: " in front
  /// where they apply).
  explicit Log(std::string tag, LogLevel threshold = LogLevel::info, Sink sink = {});

  void debug(std::string_view text) const { write(LogLevel::debug, text); }

  void info(std::string_view text) const { write(LogLevel::info, text); }

  void warning(std::string_view text) const { write(LogLevel::warning, text); }

  void error(std::string_view text) const { write(LogLevel::error, text); }

 private:
  void write(LogLevel level, std::string_view text) const;

  std::string tag_;
  LogLevel threshold_;
  Sink sink_;
};

}  // namespace base

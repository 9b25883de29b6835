#include "base/fs/log_file.h"

#include <fcntl.h>

#include "base/strings.h"

namespace base {

LogFile::LogFile(const std::string& path, const Log& other)
    : file_(open_file(path, O_WRONLY | O_CREAT | O_TRUNC)), other_(other) {}

template <typename Work>
void LogFile::attempt(Work work) {
  const std::scoped_lock lock(mutex_);
  if (lost_) {
    return;
  }
  try {
    work();
  } catch (const Error& error) {
    lost_ = error;
    other_.warning(cat(error.what(), "; the log ends"));
  }
}

Log::Sink LogFile::sink() {
  return
      [this](LogLevel, const std::string& line) { attempt([&] { file_.write(cat(line, "\n")); }); };
}

void LogFile::finish() {
  attempt([this] { file_.close(); });
  if (lost_) {
    throw lost_->becomes(Errc::cleanup_incomplete, "the log is not whole, all else is done");
  }
}

}  // namespace base

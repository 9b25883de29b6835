#include "base/progress.h"

#include <unistd.h>

#include "base/strings.h"

namespace base {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);

void put(int fd, const std::string& text) {
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

}  // namespace

TerminalProgress::TerminalProgress(int fd)
    : fd_(fd), terminal_(::isatty(fd) == 1), start_(std::chrono::steady_clock::now()) {}

TerminalProgress::~TerminalProgress() {
  if (terminal_ && drawn_ != std::chrono::steady_clock::time_point()) {
    put(fd_, "\r\x1b[K");
  }
}

void TerminalProgress::expect(std::uint64_t bytes, std::uint64_t items) {
  const std::scoped_lock lock(mutex_);
  total_bytes_ += bytes;
  total_items_ += items;
}

void TerminalProgress::add_bytes(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  bytes_ += bytes;
  draw(false);
}

void TerminalProgress::finish_item(const std::string& label) {
  const std::scoped_lock lock(mutex_);
  ++items_;
  if (!terminal_) {
    put(fd_, cat(escape_control(label), " (", items_, " of ", total_items_, ")\n"));
  }
  draw(items_ == total_items_);
}

void TerminalProgress::draw(bool now) {
  const auto time = std::chrono::steady_clock::now();
  if (!terminal_ || (!now && time - drawn_ < redraw_interval)) {
    return;
  }
  drawn_ = time;
  const auto seconds = std::chrono::duration<double>(time - start_).count();
  const auto rate = seconds > 0 ? static_cast<double>(bytes_) / seconds : 0.0;
  auto line =
      cat("\r\x1b[K", items_, "/", total_items_, " files, ", human_bytes(bytes_), " of ",
          human_bytes(total_bytes_), ", ", human_bytes(static_cast<std::uint64_t>(rate)), "/s");
  if (rate > 0 && total_bytes_ > bytes_) {
    line += cat(", ", static_cast<std::uint64_t>(static_cast<double>(total_bytes_ - bytes_) / rate),
                " s left");
  }
  put(fd_, line);
}

}  // namespace base

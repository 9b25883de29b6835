#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace base {

/// Told how far a long work has come. May be called from any thread.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  /// More work became known: so many bytes and items.
  virtual void expect(std::uint64_t bytes, std::uint64_t items) = 0;
  virtual void add_bytes(std::uint64_t bytes) = 0;
  virtual void finish_item(const std::string& label) = 0;
};

class NullProgress : public Progress {
 public:
  void expect(std::uint64_t, std::uint64_t) override {}

  void add_bytes(std::uint64_t) override {}

  void finish_item(const std::string&) override {}
};

/// Of a part of a work that was announced as a whole: what is left can be told from the start.
class AnnouncedProgress : public Progress {
 public:
  explicit AnnouncedProgress(Progress& whole) : whole_(&whole) {}

  void expect(std::uint64_t, std::uint64_t) override {}

  void add_bytes(std::uint64_t bytes) override { whole_->add_bytes(bytes); }

  void finish_item(const std::string& label) override { whole_->finish_item(label); }

 private:
  Progress* whole_;
};

/// On a terminal: one line of items, bytes, rate and time left, redrawn at most ten times a second
/// and erased at the end. Elsewhere: one plain line per finished item.
class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(int fd);
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;
  ~TerminalProgress() override;
  void expect(std::uint64_t bytes, std::uint64_t items) override;
  void add_bytes(std::uint64_t bytes) override;
  void finish_item(const std::string& label) override;

 private:
  void draw(bool now);

  std::mutex mutex_;
  int fd_;
  bool terminal_;
  std::uint64_t bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t items_ = 0;
  std::uint64_t total_items_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace base

#include "io/http/received_file.h"

namespace io {

namespace {

constexpr std::uint64_t written_at_once = 1U << 20U;
constexpr std::size_t room = 2U << 20U;
constexpr std::size_t largest_piece = 256U << 10U;
constexpr std::uint64_t writeback = 8U << 20U;

}  // namespace

ReceivedFile::~ReceivedFile() {
  finish();
}

void ReceivedFile::append(std::string_view bytes) {
  if (!thread_.joinable()) {
    if (written_ < written_at_once) {
      write(bytes);
      return;
    }
    thread_ = std::thread([this] { work(); });
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || waiting_bytes_ < room; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  waiting_bytes_ += bytes.size();
  if (!waiting_.empty() && waiting_.back().size() + bytes.size() <= largest_piece) {
    waiting_.back() += bytes;  // the thread has been told of it
    return;
  }
  waiting_.emplace_back(bytes);
  changed_.notify_all();
}

void ReceivedFile::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || waiting_bytes_ == 0; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

std::string ReceivedFile::hex() {
  finish();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return digest_.hex();
}

void ReceivedFile::finish() {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReceivedFile::write(std::string_view bytes) {
  file_->write(bytes);
  digest_.update(bytes);
  written_ += bytes.size();
  // The disk begins now, not when the whole is to be made durable.
  if (written_ - sent_to_disk_ >= writeback) {
    file_->start_writeback();
    sent_to_disk_ = written_;
  }
}

void ReceivedFile::work() {
  try {
    write_waiting();
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

void ReceivedFile::write_waiting() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const auto bytes = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    write(bytes);
    lock.lock();
    waiting_bytes_ -= bytes.size();
    changed_.notify_all();
  }
}

}  // namespace io

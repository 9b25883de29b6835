#include "io/background_digest.h"

namespace io {

namespace {

constexpr std::uint64_t hashed_at_once = 1U << 20U;
constexpr std::size_t room = 2U << 20U;

}  // namespace

BackgroundDigest::~BackgroundDigest() {
  finish(true);
}

void BackgroundDigest::update(std::string_view bytes) {
  if (!thread_.joinable()) {
    if (hashed_here_ < hashed_at_once) {
      hashed_here_ += bytes.size();
      digest_.update(bytes);
      return;
    }
    thread_ = std::thread([this] { work(); });
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || waiting_bytes_ < room; });
  if (failure_) {
    return;  // hex() says so
  }
  waiting_.emplace_back(bytes);
  waiting_bytes_ += bytes.size();
  changed_.notify_all();
}

std::string BackgroundDigest::hex() {
  finish(false);
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return digest_.hex();
}

void BackgroundDigest::finish(bool drop) {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    if (drop) {
      waiting_.clear();
    }
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundDigest::work() {
  try {
    hash_waiting();
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

void BackgroundDigest::hash_waiting() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const auto bytes = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    digest_.update(bytes);
    lock.lock();
    waiting_bytes_ -= bytes.size();
    changed_.notify_all();
  }
}

}  // namespace io

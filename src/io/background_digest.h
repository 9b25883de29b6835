#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "io/digest.h"

namespace io {

/// A digest that a thread of its own computes, so that several can be computed at once while one
/// thread receives their bytes: hashing takes longer than receiving. The first MiB is hashed at
/// once, because for little a thread costs more. At most two MiB wait to be hashed; update() waits
/// where there would be more. To be used by one thread.
class BackgroundDigest {
 public:
  explicit BackgroundDigest(Algorithm algorithm) : digest_(algorithm) {}

  BackgroundDigest(const BackgroundDigest&) = delete;
  BackgroundDigest& operator=(const BackgroundDigest&) = delete;

  /// What still waits is not hashed any more.
  ~BackgroundDigest();

  void update(std::string_view bytes);

  /// Lower-case hex, once all is hashed; the digest cannot be used afterwards.
  std::string hex();

 private:
  void work();
  void hash_waiting();
  void finish(bool drop);

  Digest digest_;  ///< the thread's, while there is one
  std::uint64_t hashed_here_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool ended_ = false;  ///< nothing more comes
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace io

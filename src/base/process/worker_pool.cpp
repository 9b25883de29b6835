#include "base/process/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include <sched.h>

namespace base {

void parallel_for(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::vector<std::exception_ptr> errors(count);
  const auto loop = [&] {
    for (auto i = next++; i < count && !failed; i = next++) {
      try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min<std::size_t>(jobs, count); ++i) {
      threads.emplace_back(loop);
    }
    loop();
  }
  const auto first =
      std::find_if(errors.begin(), errors.end(), [](const auto& e) { return e != nullptr; });
  if (first != errors.end()) {
    std::rethrow_exception(*first);
  }
}

Beside::Beside(std::function<void(const std::stop_token&)> work)
    : thread_([this, work = std::move(work)](const std::stop_token& stop) {
        try {
          work(stop);
        } catch (...) {
          failure_ = std::current_exception();
        }
      }) {}

Beside::~Beside() = default;

void Beside::finish(const std::stop_token& stop) {
  const std::stop_callback pass_on(stop, [this] { thread_.request_stop(); });
  if (thread_.joinable()) {
    thread_.join();
  }
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

unsigned core_count() {
  cpu_set_t set{};
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    return std::max(1U, static_cast<unsigned>(CPU_COUNT(&set)));
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

unsigned reader_count() {
  return std::min(4U, core_count());
}

}  // namespace base

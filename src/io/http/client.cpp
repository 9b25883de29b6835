#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <random>

#include "base/process/stop.h"
#include "base/strings.h"
#include "io/http/document.h"
#include "io/http/download.h"
#include "io/http/probe.h"

namespace io {

namespace {

using Clock = std::chrono::steady_clock;

void require(CURLMcode code) {
  if (code != CURLM_OK) {
    throw base::Error(base::Errc::internal,
                      base::cat("libcurl: ", curl::library().multi_strerror(code)));
  }
}

/// Runs transfers on one multi handle until all are over. Only as many handles are added as may
/// run: curl counts the time that a handle waits in its own queue as time of the transfer.
class Loop {
 public:
  using Done = std::function<void(std::size_t index)>;

  Loop(CURLM* multi, const std::vector<std::unique_ptr<Transfer>>& transfers,
       const HttpOptions& options, RateLimit* limit)
      : multi_(multi),
        transfers_(transfers),
        jobs_(std::max(options.jobs, 1U)),
        jobs_per_host_(std::max(options.jobs_per_host, 1U)),
        limit_(limit) {
    for (std::size_t i = 0; i < transfers_.size(); ++i) {
      host_of(i).fresh.push_back(i);
    }
    fresh_ = transfers_.size();
  }

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  ~Loop() {
    for (const auto& [handle, run] : running_) {
      curl::library().multi_remove_handle(multi_, handle);
    }
  }

  void run(const Done& done, const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { curl::library().multi_wakeup(multi_); });
    while (true) {
      base::check_stop(stop);
      start_due(done);
      if (fresh_ == 0 && sleeping_.empty() && running_.empty()) {
        return;
      }
      resume_paused();
      int active = 0;
      require(curl::library().multi_perform(multi_, &active));
      if (!collect(done)) {
        require(curl::library().multi_poll(multi_, nullptr, 0, wait_milliseconds(), nullptr));
      }
    }
  }

 private:
  /// What one server has to do with: no more of it at once than jobs_per_host_.
  struct Host {
    std::deque<std::size_t> fresh;  ///< never started
    std::size_t running = 0;
  };

  struct Run {
    std::size_t index;
    Host* host;
  };

  /// Of the URL that the transfer will try next.
  Host& host_of(std::size_t index) { return hosts_[transfers_[index]->host()]; }

  bool has_room(const Host& host) const { return host.running < jobs_per_host_; }

  void start_due(const Done& done) {
    while (running_.size() < jobs_) {
      const auto now = Clock::now();
      const auto due = std::find_if(sleeping_.begin(), sleeping_.end(), [&](std::size_t index) {
        return transfers_[index]->next_start() <= now && has_room(host_of(index));
      });
      if (due != sleeping_.end()) {
        const auto index = *due;
        sleeping_.erase(due);
        start(index);
      } else if (auto* host = next_host()) {
        const auto index = host->fresh.front();
        host->fresh.pop_front();
        --fresh_;
        if (transfers_[index]->finished_before_start()) {
          end(index, done);
        } else {
          start(index);
        }
      } else {
        return;
      }
    }
  }

  /// The host with room whose turn it is, in the order of the transfers; null for none.
  Host* next_host() {
    Host* next = nullptr;
    for (auto& [name, host] : hosts_) {
      if (!host.fresh.empty() && has_room(host) &&
          (next == nullptr || host.fresh.front() < next->fresh.front())) {
        next = &host;
      }
    }
    return next;
  }

  void start(std::size_t index) {
    auto& host = host_of(index);
    auto* handle = transfers_[index]->start();
    require(curl::library().multi_add_handle(multi_, handle));
    ++host.running;
    running_.emplace(handle, Run{index, &host});
  }

  void end(std::size_t index, const Done& done) {
    transfers_[index]->release();
    done(index);
  }

  /// Whether anything ended, so that there may be something to start.
  bool collect(const Done& done) {
    bool any = false;
    int left = 0;
    while (const auto* message = curl::library().multi_info_read(multi_, &left)) {
      // Copied: taking the handle out invalidates the message.
      auto* handle = message->easy_handle;
      const auto code = message->data.result;  // NOLINT(cppcoreguidelines-pro-type-union-access)
      const auto found = running_.find(handle);
      const auto index = found->second.index;
      --found->second.host->running;
      running_.erase(found);
      require(curl::library().multi_remove_handle(multi_, handle));
      any = true;
      if (transfers_[index]->finish(code, Clock::now())) {
        end(index, done);
      } else {
        sleeping_.push_back(index);
      }
    }
    return any;
  }

  /// The transfer that the rate limit holds up longest, if any.
  Transfer* longest_paused() const {
    Transfer* longest = nullptr;
    for (const auto& [handle, run] : running_) {
      auto* transfer = transfers_[run.index].get();
      if (transfer->paused_since() &&
          (longest == nullptr || *transfer->paused_since() < *longest->paused_since())) {
        longest = transfer;
      }
    }
    return longest;
  }

  void resume_paused() {
    for (std::size_t turn = 0; turn < running_.size(); ++turn) {
      auto* transfer = longest_paused();
      if (transfer == nullptr || !limit_->open(Clock::now())) {
        return;
      }
      transfer->resume();
    }
  }

  int wait_milliseconds() {
    using std::chrono::milliseconds;
    milliseconds wait{1000};
    if (running_.size() < jobs_) {
      for (const auto index : sleeping_) {
        if (!has_room(host_of(index))) {
          continue;  // the end of another one makes it
        }
        const auto left = transfers_[index]->next_start() - Clock::now();
        wait = std::min(wait, std::chrono::ceil<milliseconds>(left));
      }
    }
    if (longest_paused() != nullptr) {
      wait = std::min(wait, std::chrono::ceil<milliseconds>(limit_->opens() - Clock::now()));
    }
    return static_cast<int>(std::max<milliseconds::rep>(wait.count(), 0));
  }

  CURLM* multi_;
  const std::vector<std::unique_ptr<Transfer>>& transfers_;
  std::size_t jobs_;
  std::size_t jobs_per_host_;
  RateLimit* limit_;
  std::map<std::string, Host> hosts_;
  std::size_t fresh_ = 0;  ///< in all hosts
  std::vector<std::size_t> sleeping_;
  std::map<CURL*, Run> running_;
};

class CurlClient : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : options_(std::move(options)) {}

  std::optional<Document> get(const Request& request, const std::stop_token& stop) override {
    std::vector<std::unique_ptr<Transfer>> transfers;
    auto transfer = std::make_unique<DocumentTransfer>(request, options_, seed());
    auto& document = *transfer;
    transfers.push_back(std::move(transfer));
    run(
        transfers, nullptr, [](std::size_t) {}, stop);
    try {
      if (document.error()) {
        std::rethrow_exception(document.error());
      }
    } catch (const base::Error& error) {
      if (error.code() == base::Errc::not_found) {
        return std::nullopt;
      }
      throw;
    }
    return document.take_document();
  }

  void fetch(std::vector<FileRequest>& requests, base::Progress& progress,
             const std::function<void(std::size_t, std::exception_ptr)>& done,
             const std::stop_token& stop) override {
    std::optional<RateLimit> limit;
    if (options_.limit_rate > 0) {
      limit.emplace(options_.limit_rate, Clock::now());
    }
    auto* shared_limit = limit ? &*limit : nullptr;
    std::vector<std::unique_ptr<Transfer>> transfers;
    std::uint64_t bytes = 0;
    for (auto& request : requests) {
      bytes += request.size;
      transfers.push_back(std::make_unique<DownloadTransfer>(request, options_, seed(), progress,
                                                             shared_limit, stop));
    }
    progress.expect(bytes, requests.size());
    run(
        transfers, shared_limit,
        [&](std::size_t index) {
          progress.finish_item(transfers[index]->label());
          done(index, transfers[index]->error());
        },
        stop);
  }

  ResponseHead probe(const std::string& url, const std::stop_token& stop) override {
    return io::probe(url, options_, stop);
  }

 private:
  void run(const std::vector<std::unique_ptr<Transfer>>& transfers, RateLimit* limit,
           const Loop::Done& done, const std::stop_token& stop) {
    auto multi = borrow();
    Loop(multi.get(), transfers, options_, limit).run(done, stop);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(multi));
  }

  curl::Multi borrow() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      return curl::make_multi();
    }
    auto multi = std::move(idle_.back());
    idle_.pop_back();
    return multi;
  }

  std::uint64_t seed() {
    const std::lock_guard lock(mutex_);
    if (!random_) {
      random_.emplace(std::random_device{}());
    }
    return (*random_)();
  }

  HttpOptions options_;
  std::mutex mutex_;
  std::vector<curl::Multi> idle_;  ///< with their open connections; one per thread at work at once
  std::optional<std::mt19937_64> random_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const HttpOptions& options) {
  return std::make_unique<CurlClient>(options);
}

bool is_http_url(const std::string& text) {
  const auto start = base::to_lower(text.substr(0, 8));
  return start.starts_with("http://") || start == "https://";
}

}  // namespace io

#include "sstream/staging/staging_run.h"

#include <utility>

#include "base/process/worker_pool.h"
#include "base/strings.h"

namespace sstream {

namespace {

/// So many failures are no matter of single files.
constexpr std::size_t most_failures = 512;

}  // namespace

StagingRun::StagingRun(const Repository& repository, const StagingArea& area,
                       const Context& context, HandOver hand_over)
    : repository_(repository),
      area_(area),
      progress_(context.progress),
      context_(context.with(progress_)),
      hand_over_(std::move(hand_over)) {}

void StagingRun::add(NewFile file) {
  auto content = staged_name(file);
  if (waiting_.empty() || content != last_content_) {
    if (waiting_contents_ == StagedBatch::most_contents) {
      step();
    }
    ++waiting_contents_;
    last_content_ = std::move(content);
  }
  waiting_.push_back(std::move(file));
}

void StagingRun::finish() {
  while (!waiting_.empty() || opened_ || fetched_) {
    step();
  }
  if (first_failure_) {
    raise();
  }
}

/// Takes every batch one step on.
void StagingRun::step() {
  auto fetching = std::exchange(opened_, std::nullopt);
  auto sealing = std::exchange(fetched_, std::nullopt);
  base::Beside beside([&](const std::stop_token& /*stop*/) {
    if (sealing) {
      sealing->seal();
      if (sealing->failed() == 0) {
        hand_over_(std::move(*sealing));
      }
    }
    if (!waiting_.empty()) {
      opened_.emplace(repository_, area_, std::exchange(waiting_, {}));
      waiting_contents_ = 0;
    }
  });
  if (fetching) {
    fetching->fetch(context_);
  }
  beside.finish(context_.stop);
  if (sealing) {
    take_note(*sealing);
  }
  if (fetching) {
    take_note(*fetching);
    if (fetching->failed() == 0) {
      fetched_ = std::move(fetching);
    }
  }
}

void StagingRun::take_note(const StagedBatch& batch) {
  if (batch.failed() == 0) {
    return;
  }
  first_failure_ = first_failure_ ? first_failure_ : batch.first_failure();
  failed_ += batch.failed();
  if (batch.failed() == batch.contents() || failed_ > most_failures) {
    raise();
  }
}

void StagingRun::raise() const {
  if (failed_ > 1) {
    context_.log.error(base::cat(failed_, " files could not be had; the first follows"));
  }
  std::rethrow_exception(first_failure_);
}

}  // namespace sstream

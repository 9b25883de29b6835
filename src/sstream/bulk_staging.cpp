#include "sstream/bulk_staging.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/stop.h"
#include "base/strings.h"
#include "base/worker_pool.h"

namespace sstream {

namespace {

constexpr std::size_t batch_size = 512;

/// Hands out a list in pieces of bounded length.
void for_each_batch(const FileSpool& files,
                    const std::function<void(const std::vector<ListedFile>& batch)>& visit) {
  std::vector<ListedFile> batch;
  files.for_each([&](const ListedFile& listed) {
    batch.push_back(listed);
    if (batch.size() == batch_size) {
      visit(batch);
      batch.clear();
    }
  });
  if (!batch.empty()) {
    visit(batch);
  }
}

/// The whole was announced at once: what is left can be told from the first batch on.
class AnnouncedProgress : public base::Progress {
 public:
  explicit AnnouncedProgress(base::Progress& inner) : inner_(&inner) {}

  void expect(std::uint64_t /*bytes*/, std::uint64_t /*items*/) override {}

  void add_bytes(std::uint64_t bytes) override { inner_->add_bytes(bytes); }

  void finish_item(const std::string& label) override { inner_->finish_item(label); }

 private:
  base::Progress* inner_;
};

/// Runs the batches of one list; keeps what failed.
class BulkRun {
 public:
  BulkRun(const Repository& repository, const Context& context)
      : repository_(repository), progress_(context.progress), context_{context.clock,
                                                                       context.log,
                                                                       progress_,
                                                                       context.http,
                                                                       context.stop,
                                                                       context.print} {}

  void bring_in_all(const FileSpool& files, bool replace) {
    for_each_batch(files, [&](const std::vector<ListedFile>& batch) {
      std::vector<NewFile> plain;
      plain.reserve(batch.size());
      for (const auto& listed : batch) {
        plain.push_back(listed.file);
        plain.back().replace = replace;
      }
      try {
        StagedBatch staged(repository_, std::move(plain), context_);
        finish_placing();
        start_placing(std::move(staged));
      } catch (const FilesFailed& failed) {
        first_ = first_ ? first_ : failed.first;
        failed_ += failed.count;
        if (failed.count == failed.all || failed_ > batch_size) {
          rethrow();
        }
      }
    });
    finish_placing();
  }

  void finish() const {
    if (first_) {
      rethrow();
    }
  }

 private:
  /// A batch gets its names while the next one is fetched.
  void start_placing(StagedBatch staged) {
    staged_.emplace(std::move(staged));
    placing_.emplace([this](const std::stop_token& /*stop*/) { staged_->place(); });
  }

  void finish_placing() {
    if (placing_) {
      placing_->finish({});
      placing_.reset();
      staged_.reset();
    }
  }

  [[noreturn]] void rethrow() const {
    if (failed_ > 1) {
      context_.log.error(base::cat(failed_, " files could not be had; the first follows"));
    }
    std::rethrow_exception(first_);
  }

  const Repository& repository_;
  AnnouncedProgress progress_;
  Context context_;
  std::exception_ptr first_;
  std::size_t failed_ = 0;
  std::optional<StagedBatch> staged_;
  std::optional<base::Beside> placing_;  ///< last: it uses the batch
};

}  // namespace

BulkWork find_missing(const Repository& repository, const FileSpool& files,
                      const Context& context) {
  BulkWork work;
  work.missing = std::make_unique<FileSpool>(files.locate());
  work.replaced = std::make_unique<FileSpool>(files.locate());
  for_each_batch(files, [&](const std::vector<ListedFile>& batch) {
    std::vector<Presence> found(batch.size());
    base::parallel_for(batch.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
      base::check_stop(context.stop);
      found[i] = presence_of(repository, batch[i].file);
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (found[i] == Presence::absent) {
        work.missing->add(batch[i]);
      } else if (found[i] == Presence::other) {
        work.replaced->add(batch[i]);
      } else {
        ++work.reused;
      }
    }
  });
  return work;
}

void bring_in(const Repository& repository, const BulkWork& work, const Context& context) {
  if (work.size() == 0) {
    return;
  }
  context.progress.expect(work.missing->content_bytes() + work.replaced->content_bytes(),
                          work.missing->contents() + work.replaced->contents());
  BulkRun run(repository, context);
  run.bring_in_all(*work.missing, false);
  run.finish();
  run.bring_in_all(*work.replaced, true);
  run.finish();
}

}  // namespace sstream

#include "sstream/publish/publication.h"

#include <algorithm>

#include <malloc.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/identity.h"
#include "base/fs/temp_dir.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/publish/next_generation.h"
#include "sstream/publish/outlook.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/history.h"
#include "sstream/staging/staging.h"

namespace sstream {

namespace {

constexpr int replans_allowed = 10;

/// One run of publish(), in these steps (docs/architecture.md, "Publication"):
/// 1. run(): takes stage.lock shared and clears away what a crash left. attempt(): loads the live
///    generation, asks for the plan, sees what it comes to (outlook(), which applies the guard
///    rails) and which files are missing, and compares these with the free space.
/// 2. bring_in(): stages every new data file and gives it its name.
/// 3. commit(): takes commit.lock. If another writer has published meanwhile, attempt() plans again
///    on top of that.
/// 4. build() writes the whole next generation beside the live one; finish_next() signs it, reads
///    it back and asks the gate; commit() adds its line to the history.
/// 5. make_live() exchanges the two directories: the only visible step.
/// 6. make_live() keeps the old generation as well; commit() records the state, and unlocks.
class Transaction {
 public:
  Transaction(const std::string& directory, const PublishOptions& options, const Context& context)
      : options_(options),
        context_(context),
        repository_(directory, options.dry_run ? Access::read : Access::write, options.create),
        state_(repository_.read_state()) {
    if (signs()) {
      signer_start_.emplace([this](const std::stop_token& /*stop*/) {
        signer_.emplace(options_.key, options_.change_key ? std::string() : state_.signer,
                        context_);
      });
    }
  }

  PublishResult run(const Planner& planner);

 private:
  bool signs() const { return options_.sign && !options_.dry_run; }

  const DocumentSigner& signer();
  void recover_if_needed();
  bool attempt(const Planner& planner);
  WhatChanges foresee(const Generation& live, Plan& plan);
  bool stage(const Plan& plan);
  bool signatures_current(const Generation& live);
  std::string stamp_for(const Generation& live, const std::vector<ContentChange>& contents) const;
  bool commit(const Generation& live, WhatChanges& changes, Plan& plan);
  void rehearse(const Generation& live, WhatChanges& changes, Plan& plan);
  void build(NextGeneration& next, const Generation& live, WhatChanges& changes, Plan& plan);
  void build_new(NextGeneration& next, const Generation& live, WhatChanges& changes,
                 const std::vector<std::string>& dropped);
  void build_exact(NextGeneration& next, ExactMetadata& metadata);
  void finish_next(const Generation& live, const NextGeneration& next, const Listing& listed,
                   bool is_signed);
  HistoryEntry history_entry(const Generation& live, const NextGeneration& next,
                             const Plan& plan) const;
  void warn_unsigned(const Generation& live) const;

  const PublishOptions& options_;
  const Context& context_;
  Repository repository_;
  RepositoryState state_;
  std::optional<DocumentSigner> signer_;
  PublishResult result_;
  std::vector<std::string> written_;          ///< documents of the next generation that are new
  std::optional<base::Beside> signer_start_;  ///< last: it uses all the others
};

/// gpg is asked several things before the first signature: while we plan.
const DocumentSigner& Transaction::signer() {
  signer_start_.value().finish(context_.stop);
  return signer_.value();
}

void Transaction::recover_if_needed() {
  if (!options_.dry_run && needs_recovery(repository_)) {
    const auto lock = repository_.lock_commit(options_.lock_timeout, context_);
    recover(repository_);
  }
}

PublishResult Transaction::run(const Planner& planner) {
  const auto start = std::chrono::steady_clock::now();
  base::FileLock stage;
  if (!options_.dry_run) {
    stage = repository_.lock_stage(base::LockMode::shared, options_.lock_timeout, context_);
    recover_if_needed();
  }
  int tries = 0;
  while (!attempt(planner)) {
    if (++tries == replans_allowed) {
      throw base::Error(base::Errc::locked,
                        base::cat(repository_.path(), ": other writers kept publishing; ",
                                  replans_allowed, " plans were overtaken"));
    }
    context_.log.info("somebody else published meanwhile: planning again");
  }
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::move(result_);
}

/// false when the live generation changed under the plan.
bool Transaction::attempt(const Planner& planner) {
  base::check_stop(context_.stop);
  const auto live = Generation::load(repository_);
  auto plan = planner(live);
  auto next = foresee(live, plan);
  base::failpoint::sync("after-plan");
  const bool files_missing = stage(plan);
  if (options_.dry_run) {
    result_.changed = !next.same_content || files_missing;
    if (!next.same_content && options_.gate) {
      rehearse(live, next, plan);
    }
    return true;
  }
  if (signs()) {
    signer();  // a key that will not do is refused before anything is brought in
  }
  const bool is_right = next.same_content && (plan.exact || !signs() || signatures_current(live));
  if (is_right && !files_missing) {
    return true;
  }
  require_space(repository_, result_.bytes);
  bring_in(repository_, *result_.files, context_);
  base::check_stop(context_.stop);
  if (is_right && plan.files.naming() == Naming::as_they_come) {
    result_.changed = true;  // of a mirror: its metadata was right all along
    return true;
  }
  return commit(live, next, plan);
}

/// Looks for the data files, and records what is to be brought in. false: nothing.
bool Transaction::stage(const Plan& plan) {
  auto staged = find_missing(repository_, plan.files, context_);
  result_.files = std::make_shared<const FileList>(std::move(staged.missing));
  result_.file_count = result_.files->size();
  result_.files_reused = staged.reused;
  result_.bytes = result_.files->bytes();
  return result_.file_count > 0;
}

WhatChanges Transaction::foresee(const Generation& live, Plan& plan) {
  auto next = plan.exact ? exact_outlook(live, *plan.exact, options_.rails)
                         : outlook(live, plan, options_.rails);
  result_.streams = next.streams;
  result_.changes = next.versions;
  return next;
}

bool Transaction::signatures_current(const Generation& live) {
  const auto& streams = live.streams();
  return !signer().faults(live.directory(), "index.json") &&
         std::all_of(streams.begin(), streams.end(), [&](const auto& entry) {
           base::check_stop(context_.stop);
           return !signer().faults(live.directory(), entry.second.file);
         });
}

std::string Transaction::stamp_for(const Generation& live,
                                   const std::vector<ContentChange>& contents) const {
  auto earlier = earlier_stamps(live, contents);
  earlier.push_back(state_.updated);
  const auto now = context_.clock.now();
  const auto stamp = next_stamp(now, earlier);
  if (stamp > now + std::chrono::hours(1)) {
    context_.log.warning(
        base::cat("the clock is behind the stream: 'updated' becomes ", base::format_stamp(stamp)));
  }
  return base::format_stamp(stamp);
}

void Transaction::warn_unsigned(const Generation& live) const {
  if (!options_.sign && base::exists_at(live.directory(), "index.sjson")) {
    context_.log.warning(base::cat(repository_.path(),
                                   ": was signed; what changes is unsigned until `meph2-util sign ",
                                   repository_.path(), "`"));
  }
}

/// What a dry run asks of the gate: the next generation, unsigned, where nobody sees it.
void Transaction::rehearse(const Generation& live, WhatChanges& changes, Plan& plan) {
  const base::TempDir scratch("rehearsal.");
  const auto parent = base::open_directory(scratch.path());
  NextGeneration next(parent.fd(), live, "rehearsal");
  build(next, live, changes, plan);
  options_.gate({repository_, live.directory(), next.directory(), written_}, context_);
}

/// What is new is written; its documents are `written_`, its date is in the result.
void Transaction::build(NextGeneration& next, const Generation& live, WhatChanges& changes,
                        Plan& plan) {
  written_.clear();
  if (plan.exact) {
    build_exact(next, *plan.exact);
  } else {
    build_new(next, live, changes, plan.dropped);
  }
}

void Transaction::build_new(NextGeneration& next, const Generation& live, WhatChanges& changes,
                            const std::vector<std::string>& dropped) {
  std::vector<std::string> replaced;
  replaced.reserve(dropped.size() + changes.contents.size() + 1);
  for (const auto& content_id : dropped) {
    replaced.push_back(live.streams().at(content_id).file);
  }
  const auto stamp = stamp_for(live, changes.contents);
  for (auto& change : changes.contents) {
    base::check_stop(context_.stop);
    replaced.push_back(change.file);
    changes.listed.at(change.content_id).summary.updated = stamp;
    next.write(change.file, *change.content, stamp);
    written_.push_back(change.file);
    change.content.reset();  // big trees go as soon as they are on disk
  }
  auto index = next_index(live, changes.listed);
  const bool index_changed = index != live.index();
  if (index_changed) {
    replaced.emplace_back("index.json");
    index["updated"] = stamp;
    next.write_index(index);
    written_.emplace_back("index.json");
    result_.updated = stamp;
    if (live.directory() >= 0) {
      warn_unsigned(live);
    }
  } else {
    result_.updated = index.value("updated", "");
  }
  next.carry_over(replaced, context_.stop);
}

void Transaction::build_exact(NextGeneration& next, ExactMetadata& metadata) {
  for (auto& [name, content] : metadata) {
    next.copy(name, content);
    if (name.ends_with(".json")) {
      written_.push_back(name);
    }
  }
  const auto index = io::read_json(metadata.at("index.json"));
  result_.updated = index.value("updated", "");
}

HistoryEntry Transaction::history_entry(const Generation& live, const NextGeneration& next,
                                        const Plan& plan) const {
  HistoryEntry entry;
  entry.generation = state_.generation + 1;
  entry.when = base::format_stamp(context_.clock.now());
  entry.who = base::user_at_host();
  entry.command = base::command_line();
  entry.action = options_.action;
  entry.base = live.digest();
  entry.digest = metadata_digest(next.directory());
  entry.files = result_.file_count;
  entry.bytes = result_.bytes;
  entry.changes = result_.changes;
  entry.details = plan.details;
  return entry;
}

/// Signs it and asks of it what we and its consumers demand, all side by side.
void Transaction::finish_next(const Generation& live, const NextGeneration& next,
                              const Listing& listed, bool is_signed) {
  std::vector<std::function<void()>> parts;
  if (is_signed) {
    ::malloc_trim(0);  // what big trees took: each start of gpg would copy the tables of its pages
    result_.signed_documents = next.to_sign(signer(), context_.stop);
    // Clear signatures take longest, so they start first.
    parts.emplace_back(
        [&] { signer_->sign_clear(next.directory(), result_.signed_documents, context_.stop); });
    parts.emplace_back(
        [&] { signer_->sign_detached(next.directory(), result_.signed_documents, context_.stop); });
  }
  parts.emplace_back([&] { next.check(listed); });
  if (options_.gate) {
    parts.emplace_back([&] {
      options_.gate({repository_, live.directory(), next.directory(), written_}, context_);
    });
  }
  base::parallel_for(parts.size(), base::core_count(), [&](std::size_t i) { parts[i](); });
}

bool Transaction::commit(const Generation& live, WhatChanges& changes, Plan& plan) {
  base::failpoint::sync("before-lock");
  const auto lock = repository_.lock_commit(options_.lock_timeout, context_);
  recover(repository_);
  if (live_digest(repository_) != live.digest()) {
    return false;
  }
  state_ = recovered_state(repository_, live.digest());
  const auto number = state_.generation + 1;
  NextGeneration next(repository_.streams(), live, generation_name(number));
  build(next, live, changes, plan);
  finish_next(live, next, changes.listed, signs() && !plan.exact);
  next.sync();
  append_history(repository_, history_entry(live, next, plan));
  base::check_stop(context_.stop);
  try {
    make_live(repository_, next.name(), generation_name(state_.generation));
  } catch (const base::Error& error) {
    if (error.code() == base::Errc::cleanup_incomplete ||
        error.code() == base::Errc::durability_unknown) {
      next.release();  // published: recover() knows what to do with the rest
    }
    throw;
  }
  next.release();
  result_.changed = true;
  result_.generation = generation_name(number);
  state_.generation = number;
  state_.updated = result_.updated;
  if (signs() && !plan.exact) {
    state_.signer = signer().fingerprint();
  }
  try {
    repository_.write_state(state_);
  } catch (const base::Error& error) {
    throw error.becomes(base::Errc::cleanup_incomplete, "published; its state was not recorded");
  }
  return true;
}

}  // namespace

PublishResult publish(const std::string& directory, const Planner& planner,
                      const PublishOptions& options, const Context& context) {
  try {
    return base::with_state("stream unchanged",
                            [&] { return Transaction(directory, options, context).run(planner); });
  } catch (base::Error& error) {
    error.add_context(options.action);
    throw;
  }
}

io::Json report_of(const PublishResult& result, const PublishOptions& options) {
  io::Json files = io::Json::array();
  if (result.files && result.files->naming() == Naming::at_the_end) {
    for (const auto& file : result.files->files()) {
      files.push_back(
          {{"path", file.path}, {"size", file.expected.size}, {"sha256", file.expected.sha256}});
    }
  }
  return {{"action", options.action},          {"bytes", result.bytes},
          {"changes", result.changes},         {"changed", result.changed},
          {"dry_run", options.dry_run},        {"file_count", result.file_count},
          {"files", std::move(files)},         {"files_reused", result.files_reused},
          {"generation", result.generation},   {"seconds", result.seconds},
          {"signed", result.signed_documents}, {"streams", result.streams},
          {"updated", result.updated}};
}

}  // namespace sstream

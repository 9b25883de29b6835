#include "sstream/publish/publication.h"

#include <algorithm>

#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/beneath.h"
#include "base/fs/identity.h"
#include "base/fs/temp_dir.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/publish/next_generation.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/history.h"

#include <malloc.h>

namespace sstream {

namespace {

constexpr int replans_allowed = 10;

io::Json changed_versions(const StreamSummary& before, const StreamSummary& after) {
  auto changed = io::Json::object();
  const auto count = [](const StreamSummary& summary, const std::string& product) {
    const auto found = summary.versions.find(product);
    return found == summary.versions.end() ? std::size_t{0} : found->second;
  };
  for (const auto* summary : {&before, &after}) {
    for (const auto& [product, versions] : summary->versions) {
      if (count(before, product) != count(after, product)) {
        changed[product] = {count(before, product), count(after, product)};
      }
    }
  }
  return changed;
}

/// One run of publish(): the pieces that its steps share.
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
  struct Change {
    std::string content_id;
    std::string file;
    std::unique_ptr<NewStream> content;
    StreamSummary summary;
    io::Json versions;  ///< product -> [versions before, versions after], where they differ
  };

  using Listed = std::map<std::string, ListedStream>;  ///< by content id

  /// What a plan comes to on the live generation.
  struct Outlook {
    std::vector<Change> changes;
    Listed listed;
    bool same_content = false;
  };

  bool signs() const { return options_.sign && !options_.dry_run; }

  const DocumentSigner& signer();
  void recover_if_needed();
  bool attempt(const Planner& planner);
  Outlook outlook(const Generation& live, Plan& plan);
  Outlook outlook_verbatim(const Generation& live, Verbatim& metadata);
  bool stage(const Plan& plan);
  std::vector<Change> changes_of(const Generation& live, Plan& plan) const;
  void add_change(const Generation& live, std::unique_ptr<NewStream> content,
                  const std::function<bool(NewStream& content)>& is_live,
                  std::vector<Change>& changes) const;
  bool signatures_current(const Generation& live);

  static Listed next_listing(const Generation& live, const std::vector<Change>& changes,
                             const std::vector<std::string>& dropped);
  static io::Json next_index(const Generation& live, const Listed& listed);
  std::string next_stamp(const Generation& live, const std::vector<Change>& changes) const;
  bool commit(const Generation& live, Outlook& outlook, Plan& plan);
  void rehearse(const Generation& live, Outlook& outlook, Plan& plan);
  void build(NextGeneration& next, const Generation& live, Outlook& outlook, Plan& plan);
  void build_new(NextGeneration& next, const Generation& live, std::vector<Change>& changes,
                 Listed& listed, const std::vector<std::string>& dropped);
  void build_verbatim(NextGeneration& next, Verbatim& metadata);
  void finish_next(const Generation& live, const NextGeneration& next, const Listed& listed,
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
  auto next = plan.verbatim ? outlook_verbatim(live, *plan.verbatim) : outlook(live, plan);
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
  const bool is_right =
      next.same_content && (plan.verbatim || !signs() || signatures_current(live));
  if (is_right && !files_missing) {
    return true;
  }
  require_space(repository_, result_.bytes);
  bring_in(repository_, result_.files, context_);
  bring_in(repository_, *result_.bulk, context_);
  base::check_stop(context_.stop);
  if (is_right && result_.files.empty()) {
    result_.changed = true;  // files in bulk only: the metadata was right all along
    return true;
  }
  return commit(live, next, plan);
}

/// Looks for the data files, and records what is to be brought in. false: nothing.
bool Transaction::stage(const Plan& plan) {
  auto staged = find_missing(repository_, plan.files, context_);
  result_.bulk = std::make_shared<const BulkWork>(
      plan.bulk ? find_missing(repository_, *plan.bulk, context_) : BulkWork());
  result_.files = std::move(staged.missing);
  result_.file_count = result_.files.size() + result_.bulk->size();
  result_.files_reused = staged.reused + result_.bulk->reused;
  result_.bytes = staged.bytes + result_.bulk->bytes();
  return result_.file_count > 0;
}

Transaction::Outlook Transaction::outlook(const Generation& live, Plan& plan) {
  Outlook next;
  next.changes = changes_of(live, plan);
  result_.streams.clear();
  result_.changes = io::Json::object();
  for (const auto& change : next.changes) {
    result_.streams.push_back(change.content_id);
    result_.changes[change.content_id] = change.versions;
  }
  for (const auto& content_id : plan.dropped) {
    result_.changes[content_id] = nullptr;
  }
  next.listed = next_listing(live, next.changes, plan.dropped);
  for (const auto& [content_id, keys] : plan.entries) {
    next.listed.at(content_id).entry = keys;
  }
  next.same_content = next.changes.empty() && plan.dropped.empty() && !live.index().is_null() &&
                      next_index(live, next.listed) == live.index();
  return next;
}

Transaction::Outlook Transaction::outlook_verbatim(const Generation& live, Verbatim& metadata) {
  Outlook next;
  next.listed = listing_of(metadata);
  next.same_content = is_live(metadata, live);
  result_.streams.clear();
  result_.changes = io::Json::object();
  for (const auto& [content_id, stream] : next.listed) {
    const bool known = live.streams().contains(content_id);
    const auto before = known ? live.summary(content_id) : StreamSummary{};
    check_shrink(options_.rails, content_id, before, stream.summary);
    if (before != stream.summary) {
      result_.streams.push_back(content_id);
      result_.changes[content_id] = changed_versions(before, stream.summary);
    }
  }
  for (const auto& [content_id, stream] : live.streams()) {
    if (!next.listed.contains(content_id)) {
      check_shrink(options_.rails, content_id, live.summary(content_id), {});
      result_.changes[content_id] = nullptr;
    }
  }
  return next;
}

/// The streams whose content differs from what is live. Guard rails are applied here, before
/// anything is written.
std::vector<Transaction::Change> Transaction::changes_of(const Generation& live, Plan& plan) const {
  std::vector<Change> changes;
  for (auto& tree : plan.streams) {
    add_change(
        live, std::make_unique<TreeStream>(std::move(tree)),
        [&](NewStream& content) {
          const auto& moved = static_cast<TreeStream&>(content).tree();
          return !plan.differs &&
                 live.live_content_digest(moved.content_id()) == content_digest(moved);
        },
        changes);
  }
  for (auto& document : plan.documents) {
    add_change(
        live, std::move(document), [&](NewStream& content) { return has_text(live, content); },
        changes);
  }
  plan.streams.clear();
  plan.documents.clear();
  return changes;
}

/// `is_live` is asked where the numbers of versions do not tell.
void Transaction::add_change(const Generation& live, std::unique_ptr<NewStream> content,
                             const std::function<bool(NewStream& content)>& is_live,
                             std::vector<Change>& changes) const {
  auto after = content->summary();
  const auto& content_id = after.content_id;
  const auto found = live.streams().find(content_id);
  const bool known = found != live.streams().end();
  const auto file = known ? found->second.file : content_id + ".json";
  base::require_safe_path(file);
  if (file.find('/') != std::string::npos || file.starts_with(".") || file == "index.json") {
    throw base::Error(base::Errc::untrusted,
                      base::cat("content id '", content_id, "' is not fit for a file name"));
  }
  auto versions = changed_versions(known ? live.summary(content_id) : StreamSummary{}, after);
  if (known) {
    check_shrink(options_.rails, content_id, live.summary(content_id), after);
    if (versions.empty() && is_live(*content)) {
      return;
    }
  }
  changes.push_back({content_id, file, std::move(content), std::move(after), std::move(versions)});
}

bool Transaction::signatures_current(const Generation& live) {
  const auto& streams = live.streams();
  return !signer().faults(live.directory(), "index.json") &&
         std::all_of(streams.begin(), streams.end(), [&](const auto& entry) {
           return !signer().faults(live.directory(), entry.second.file);
         });
}

/// What the next index lists. Reads the documents that stay as they are, so that one which is
/// spoilt stops the publication before anything is brought in.
Transaction::Listed Transaction::next_listing(const Generation& live,
                                              const std::vector<Change>& changes,
                                              const std::vector<std::string>& dropped) {
  Listed listed;
  for (const auto& change : changes) {
    listed[change.content_id] = {change.file, change.summary};
  }
  for (const auto& [content_id, stream] : live.streams()) {
    const bool goes = std::find(dropped.begin(), dropped.end(), content_id) != dropped.end();
    if (!goes && !listed.contains(content_id)) {
      listed[content_id] = {stream.file, live.summary(content_id)};
    }
  }
  return listed;
}

/// The index over `listed`, with the `updated` of the live one.
io::Json Transaction::next_index(const Generation& live, const Listed& listed) {
  auto index = live.index().is_object() ? live.index() : io::Json::object();
  const auto previous = index.value("index", io::Json::object());
  auto entries = io::Json::object();
  for (const auto& [content_id, stream] : listed) {
    auto& entry = entries[content_id] =
        index_entry(stream.summary, base::cat("streams/v1/", stream.file),
                    previous.value(content_id, io::Json::object()));
    for (const auto& [key, value] : stream.entry.items()) {
      entry[key] = value;
      if (value.is_null()) {
        entry.erase(key);
      }
    }
  }
  index["format"] = "index:1.0";
  index["index"] = std::move(entries);
  return index;
}

/// max(now, every previous stamp + 1 s): strictly increasing, whatever the clock does.
std::string Transaction::next_stamp(const Generation& live,
                                    const std::vector<Change>& changes) const {
  auto stamp = context_.clock.now();
  const auto after = [&](const std::string& text) {
    if (const auto previous = base::parse_stamp(text)) {
      stamp = std::max(stamp, *previous + std::chrono::seconds(1));
    }
  };
  after(state_.updated);
  if (live.index().is_object() && live.index().value("updated", io::Json()).is_string()) {
    after(live.index().at("updated").get<std::string>());
  }
  for (const auto& change : changes) {
    if (live.streams().contains(change.content_id)) {
      after(live.summary(change.content_id).updated);
    }
  }
  if (stamp > context_.clock.now() + std::chrono::hours(1)) {
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
void Transaction::rehearse(const Generation& live, Outlook& outlook, Plan& plan) {
  const base::TempDir scratch("rehearsal.");
  const auto parent = base::open_directory(scratch.path());
  NextGeneration next(parent.fd(), live, "rehearsal");
  build(next, live, outlook, plan);
  options_.gate({repository_, live.directory(), next.directory(), written_}, context_);
}

/// What is new is written; its documents are `written_`, its date is in the result.
void Transaction::build(NextGeneration& next, const Generation& live, Outlook& outlook,
                        Plan& plan) {
  written_.clear();
  if (plan.verbatim) {
    build_verbatim(next, *plan.verbatim);
  } else {
    build_new(next, live, outlook.changes, outlook.listed, plan.dropped);
  }
}

void Transaction::build_new(NextGeneration& next, const Generation& live,
                            std::vector<Change>& changes, Listed& listed,
                            const std::vector<std::string>& dropped) {
  std::vector<std::string> replaced;
  replaced.reserve(dropped.size() + changes.size() + 1);
  for (const auto& content_id : dropped) {
    replaced.push_back(live.streams().at(content_id).file);
  }
  const auto stamp = next_stamp(live, changes);
  for (auto& change : changes) {
    replaced.push_back(change.file);
    listed.at(change.content_id).summary.updated = stamp;
    next.write(change.file, *change.content, stamp);
    written_.push_back(change.file);
    change.content.reset();  // big trees go as soon as they are on disk
  }
  auto index = next_index(live, listed);
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
  next.carry_over(replaced);
}

void Transaction::build_verbatim(NextGeneration& next, Verbatim& metadata) {
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
                              const Listed& listed, bool is_signed) {
  std::vector<std::function<void()>> parts;
  if (is_signed) {
    ::malloc_trim(0);  // what big trees took: each start of gpg would copy the tables of its pages
    result_.signed_documents = next.to_sign(signer());
    // Clear signatures take longest, so they start first.
    parts.emplace_back([&] { signer_->sign_clear(next.directory(), result_.signed_documents); });
    parts.emplace_back([&] { signer_->sign_detached(next.directory(), result_.signed_documents); });
  }
  parts.emplace_back([&] { next.check(listed); });
  if (options_.gate) {
    parts.emplace_back([&] {
      options_.gate({repository_, live.directory(), next.directory(), written_}, context_);
    });
  }
  base::parallel_for(parts.size(), base::core_count(), [&](std::size_t i) { parts[i](); });
}

bool Transaction::commit(const Generation& live, Outlook& outlook, Plan& plan) {
  base::failpoint::sync("before-lock");
  const auto lock = repository_.lock_commit(options_.lock_timeout, context_);
  recover(repository_);
  if (live_digest(repository_) != live.digest()) {
    return false;
  }
  state_ = recovered_state(repository_, live.digest());
  const auto number = state_.generation + 1;
  NextGeneration next(repository_.streams(), live, generation_name(number));
  build(next, live, outlook, plan);
  finish_next(live, next, outlook.listed, signs() && !plan.verbatim);
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
  if (signs() && !plan.verbatim) {
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
  for (const auto& file : result.files) {
    files.push_back(
        {{"path", file.path}, {"size", file.expected.size}, {"sha256", file.expected.sha256}});
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

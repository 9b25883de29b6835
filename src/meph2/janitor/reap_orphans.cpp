#include "meph2/janitor/reap_orphans.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/beneath.h"
#include "base/fs/parent_cache.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/janitor/judgement.h"
#include "meph2/janitor/trash.h"
#include "sstream/janitor/stream_use.h"
#include "sstream/publish/swap.h"

namespace meph2 {

namespace {

using sstream::Orphan;
using sstream::StreamUse;

constexpr std::size_t half_rule_files = 100;

struct Entry : Judgement {
  base::Time named_until{};  ///< by a kept generation
};

class Reaper {
 public:
  Reaper(const ReapOrphansOptions& options, const sstream::Context& context)
      : options_(options),
        context_(context),
        list_(sstream::OrphanFile::load(options.orphans)),
        data_(options.data_d, options.dry_run ? sstream::Access::read : sstream::Access::locks) {
    if (list_.digest.empty()) {
      throw base::Error(base::Errc::not_found,
                        base::cat(options.orphans, ": there is no such orphan file"));
    }
    choose_streams();
    entries_.resize(list_.orphans.size());
  }

  ReapOrphansResult run() {
    const auto locks = lock();
    recover();
    look_again();
    base::failpoint::sync("before-reap");
    judge_all();
    apply_caps();
    require_half();
    if (options_.dry_run) {
      tell();
      return std::move(result_);
    }
    remove();
    finish();
    return std::move(result_);
  }

 private:
  void choose_streams() {
    auto specs =
        options_.streams.empty() ? list_.streams : sstream::resolve_streams(options_.streams);
    if (data_.open_live()) {
      const auto own = base::real_path(data_.root());
      if (std::none_of(specs.begin(), specs.end(),
                       [&](const auto& spec) { return spec.root == own; })) {
        specs.push_back({own, {}});
      }
    }
    if (specs.empty()) {
      require_no_neighbours();
      context_.log.warning(base::cat(options_.orphans,
                                     ": does not say which streams were asked, and none is named: "
                                     "nothing can be compared; find-orphans records them"));
    }
    for (auto& spec : specs) {
      // Whatever a stream names stays, although find-orphans may have been asked about one
      // document.
      if (base::exists_at(AT_FDCWD, spec.root + "/streams/v1/index.json")) {
        spec.documents.clear();
      }
      uses_.emplace_back(spec, options_.dry_run ? sstream::Access::read : sstream::Access::locks,
                         data_.root());
    }
    const auto& keyring = options_.keyring.empty() ? list_.keyring : options_.keyring;
    if (!keyring.empty()) {
      verifier_ = std::make_unique<io::Verifier>(io::Keyring::load(keyring), context_.clock);
    }
  }

  /// A list of the established tool does not say for which streams it was made. Where streams stand
  /// beside the data, they may well be those.
  void require_no_neighbours() const {
    const auto own = base::real_path(data_.root());
    const auto above = base::open_file_at(data_.root(), "..", O_RDONLY | O_DIRECTORY);
    for (const auto& name : base::list_directory(above.fd())) {
      if (base::exists_at(above.fd(), name + "/streams/v1")) {
        throw base::Error(
            base::Errc::refused,
            base::cat(options_.orphans, ": does not say which streams were asked, and ",
                      base::real_path(above.fd()), "/", name, " may be one that uses ", own,
                      "; name the streams, or run find-orphans, which records them"));
      }
    }
  }

  /// Exclusive, the data directory and every stream that uses it, in the order of their real paths.
  std::vector<base::FileLock> lock() const {
    std::map<std::string, const sstream::Repository*> repositories;
    repositories[base::real_path(data_.root())] = &data_;
    for (const auto& use : uses_) {
      repositories.emplace(base::real_path(use.repository().root()), &use.repository());
    }
    std::vector<base::FileLock> locks;
    for (const auto& [path, repository] : repositories) {
      if (!options_.dry_run) {
        locks.push_back(
            repository->lock_stage(base::LockMode::exclusive, options_.lock_timeout, context_));
      }
    }
    return locks;
  }

  /// What a killed publication left in a stream has to be settled before anybody says what it
  /// names.
  void recover() const {
    for (const auto& use : uses_) {
      if (!options_.dry_run && sstream::needs_recovery(use.repository())) {
        const auto commit = use.repository().lock_commit(options_.lock_timeout, context_);
        sstream::recover(use.repository());
      }
    }
  }

  void look_again() {
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < list_.orphans.size(); ++i) {
      known.emplace(list_.orphans[i].path, i);
    }
    std::map<std::pair<const StreamUse*, std::string>, base::Time> replaced;
    const sstream::ReferencePolicy policy{.verifier = verifier_.get(),
                                          .allow_empty = options_.allow_empty};
    sstream::for_each_name(
        uses_, policy, context_.clock.now(),
        [&](const StreamUse& use, std::string_view name, std::string_view generation) {
          const auto found = known.find(name);
          if (found == known.end()) {
            return;
          }
          auto& entry = entries_[found->second];
          if (generation.empty()) {
            entry.fate = Fate::named;
            entry.reason = base::cat("named by ", use.spec().root);
          } else if (entry.fate == Fate::undecided) {
            const std::pair key(&use, std::string(generation));
            auto at = replaced.find(key);
            if (at == replaced.end()) {
              at = replaced.emplace(key, sstream::replaced_at(use.repository(), key.second)).first;
            }
            entry.named_until = std::max(entry.named_until, at->second);
            entry.fate = Fate::kept;
            entry.reason = base::cat("generation ", generation, " of ", use.spec().root,
                                     ", kept for rollback, names it");
          } else if (entry.fate == Fate::kept) {
            const auto at = replaced.find({&use, std::string(generation)});
            if (at != replaced.end()) {
              entry.named_until = std::max(entry.named_until, at->second);
            }
          }
        });
  }

  void judge_all() {
    const auto device = base::status_of(data_.root(), ".")->st_dev;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      base::check_stop(context_.stop);
      judge_one(list_.orphans[i], entries_[i], device);
    }
    parents_ = base::ParentCache();
  }

  void reject(Entry& entry, std::string reason) const {
    entry.fate = Fate::rejected;
    entry.reason = std::move(reason);
  }

  void judge_one(Orphan& orphan, Entry& entry, dev_t device) {
    Judgement& judgement = entry;
    const OrphanAge age{context_.clock.now(), options_.older, options_.now};
    try {
      judgement = judge(orphan, judgement, age, device, [&] { return look_at(orphan.path); });
    } catch (const base::Error& error) {
      if (error.sys_errno() == ENOTDIR) {
        entry.fate = Fate::gone;
      } else {
        reject(entry, error.what());
      }
    }
    if (entry.fate == Fate::changed) {
      orphan.mark = entry.mark;
    }
  }

  std::optional<struct stat> look_at(const std::string& path) {
    const auto& directory = parents_.of(data_.root(), path);
    return directory ? base::status_of(directory.fd(), base::base_name(path)) : std::nullopt;
  }

  /// The oldest first, as many as allowed.
  void apply_caps() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].fate == Fate::reap) {
        order.push_back(i);
      }
    }
    if (options_.max_files || options_.max_bytes) {
      std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
        return *list_.orphans[one].since < *list_.orphans[other].since;
      });
    }
    std::uint64_t files = 0;
    bool full = false;
    for (const auto i : order) {
      full = full || files + 1 > options_.max_files.value_or(UINT64_MAX) ||
             entries_[i].mark->size > options_.max_bytes.value_or(UINT64_MAX) - result_.bytes;
      if (full) {
        entries_[i].fate = Fate::young;
        ++result_.capped;
      } else {
        ++files;
        result_.bytes += entries_[i].mark->size;
      }
    }
    to_reap_ = files;
  }

  void require_half() const {
    if (options_.yes || to_reap_ <= half_rule_files) {
      return;
    }
    std::uint64_t total = 0;
    base::walk_entries(data_.root(), [&](const base::Entry& entry) {
      base::check_stop(context_.stop);
      if (entry.kind == base::EntryKind::file) {
        const auto status = base::status_of(entry.dirfd, entry.name);
        total += status ? static_cast<std::uint64_t>(status->st_size) : 0;
      }
      return entry.path != "streams" && entry.path != ".data";
    });
    if (result_.bytes * 2 > total) {
      throw base::Error(base::Errc::refused,
                        base::cat(to_reap_, " files with ", base::human_bytes(result_.bytes),
                                  " of ", base::human_bytes(total), " in ", options_.data_d,
                                  " would go, which is more than half; --yes if that is meant"));
    }
  }

  /// Fills the result from what was decided (a dry run), or was done.
  void tell() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = entries_[i];
      const auto& orphan = list_.orphans[i];
      switch (entry.fate) {
        case Fate::reap:
          result_.reaped.push_back(orphan);
          break;
        case Fate::named:
          result_.named.push_back({orphan.path, entry.reason});
          break;
        case Fate::kept:
        case Fate::changed:
          result_.kept.push_back({orphan.path, entry.reason});
          break;
        case Fate::rejected:
          result_.rejected.push_back({orphan.path, entry.reason});
          break;
        case Fate::gone:
          ++result_.gone;
          break;
        default:
          ++result_.young;
      }
    }
    result_.young -= result_.capped;
    result_.remaining =
        entries_.size() - result_.reaped.size() - result_.named.size() - result_.gone;
  }

  void remove() {
    Trash trash(data_, context_.clock.now(), options_.trash);
    for (std::size_t i = 0; i < entries_.size() && !stopped_; ++i) {
      if (entries_[i].fate != Fate::reap) {
        continue;
      }
      stopped_ = context_.stop.stop_requested();
      if (!stopped_) {
        remove_one(list_.orphans[i], entries_[i], trash);
      }
    }
    parents_ = base::ParentCache();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (stopped_ && entries_[i].fate == Fate::reap && !done_.contains(i)) {
        entries_[i].fate = Fate::young;
      }
    }
  }

  /// Looks at the file once more: the lock keeps our own writers out, not an operator's editor.
  void remove_one(Orphan& orphan, Entry& entry, Trash& trash) {
    base::failpoint::sync("before-unlink");
    try {
      const auto& directory = parents_.of(data_.root(), orphan.path);
      const auto name = base::base_name(orphan.path);
      if (!directory || !base::is_file_at(directory.fd(), name)) {
        result_.bytes -= entry.mark->size;
        return reject(entry, "changed while it was to be reaped");
      }
      trash.take(directory.fd(), name, orphan.path);
      emptied_.insert(base::parent_of(orphan.path));
      done_.insert(static_cast<std::size_t>(&entry - entries_.data()));
    } catch (const base::Error& error) {
      result_.bytes -= entry.mark->size;
      reject(entry, error.what());
    }
  }

  /// Deepest first; data_d itself stays, and so does whatever holds something.
  void remove_empty_directories() {
    for (auto at = emptied_.rbegin(); at != emptied_.rend(); ++at) {
      for (auto path = *at; path != "."; path = base::parent_of(path)) {
        try {
          const auto above = base::open_parent_beneath(data_.root(), path, false);
          if (!base::remove_directory_at(above.fd(), base::base_name(path))) {
            break;
          }
          ++result_.directories;
        } catch (const base::Error& error) {
          if (error.sys_errno() == ENOENT) {
            continue;
          }
          context_.log.warning(base::cat(path, ": stays, though it is empty: ", error.what()));
          break;
        }
      }
    }
  }

  /// Entries of what is done go, the others stay; what changed begins anew.
  void rewrite_list() {
    const auto now = context_.clock.now();
    sstream::OrphanFile next;
    next.streams = list_.streams;
    next.keyring = list_.keyring;
    next.digest = list_.digest;
    if (next.streams.empty()) {
      for (const auto& use : uses_) {
        next.streams.push_back(use.spec());
      }
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& orphan = list_.orphans[i];
      const auto& entry = entries_[i];
      if (entry.fate == Fate::reap || entry.fate == Fate::named || entry.fate == Fate::gone) {
        continue;
      }
      if (entry.fate == Fate::changed ||
          (entry.fate == Fate::kept && orphan.since && *orphan.since < entry.named_until)) {
        orphan.since = entry.fate == Fate::changed ? now : std::min(entry.named_until, now);
        orphan.stamp.clear();
      }
      next.orphans.push_back(orphan);
    }
    next.save(options_.orphans);
  }

  void finish() {
    std::optional<base::Error> trouble;
    const auto attempt = [&](auto&& step) {
      try {
        step();
      } catch (const base::Error& error) {
        trouble = error;
      }
    };
    attempt([&] { remove_empty_directories(); });
    // The list may forget a file only after its removal is durable.
    attempt([&] {
      if (!done_.empty()) {
        base::sync_filesystem(data_.root(), options_.data_d);
      }
      rewrite_list();
    });
    attempt([&] {
      result_.purged = purge_trash(data_, context_.clock.now(), options_.trash, context_.stop);
    });
    tell();
    if (context_.stop.stop_requested()) {
      throw base::Stopped().set_state(
          base::cat(result_.reaped.size(), " files reaped, the rest stays listed"));
    }
    if (trouble) {
      throw trouble->becomes(
          base::Errc::cleanup_incomplete,
          base::cat(result_.reaped.size(), " files reaped; run the same command again"));
    }
  }

  const ReapOrphansOptions& options_;
  const sstream::Context& context_;
  sstream::OrphanFile list_;
  sstream::Repository data_;
  std::vector<StreamUse> uses_;
  std::unique_ptr<io::Verifier> verifier_;
  std::vector<Entry> entries_;  ///< beside list_.orphans
  base::ParentCache parents_;
  std::size_t to_reap_ = 0;
  std::set<std::string> emptied_;
  std::set<std::size_t> done_;
  bool stopped_ = false;
  ReapOrphansResult result_;
};

}  // namespace

ReapOrphansResult reap_orphans(const ReapOrphansOptions& options, const sstream::Context& context) {
  return base::with_context("reap-orphans", [&] { return Reaper(options, context).run(); });
}

}  // namespace meph2

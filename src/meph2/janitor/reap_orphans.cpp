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
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/janitor/trash.h"
#include "sstream/janitor/stream_use.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/generation.h"

namespace meph2 {

namespace {

using sstream::Orphan;
using sstream::StreamUse;

/// No stream of this kind is older: a date before it says nothing about the file.
constexpr base::Time first_plausible{std::chrono::seconds(1262304000)};  // 2010-01-01
constexpr std::size_t half_rule_files = 100;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// What is to become of an entry.
enum class Fate : std::uint8_t { undecided, reap, named, kept, changed, young, gone, rejected };

struct Entry {
  Fate fate = Fate::undecided;
  std::string reason;
  base::Time named_until{};  ///< by a kept generation
  std::uint64_t size = 0;
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
    if (data_.streams() >= 0 && base::exists_at(data_.streams(), "v1")) {
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
    sstream::ReferencePolicy policy;
    policy.verifier = verifier_.get();
    policy.allow_empty = options_.allow_empty;
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
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      base::check_stop(context_.stop);
      judge(list_.orphans[i], entries_[i]);
    }
    parent_path_.clear();
    parent_ = base::File();
  }

  void reject(Entry& entry, std::string reason) const {
    entry.fate = Fate::rejected;
    entry.reason = std::move(reason);
  }

  void judge(Orphan& orphan, Entry& entry) {
    if (const auto* reason = base::unsafe_path_reason(orphan.path); reason != nullptr) {
      return reject(entry, reason);
    }
    if (orphan.path.starts_with("streams/") || orphan.path.starts_with(".data/") ||
        orphan.path == "streams" || orphan.path == ".data") {
      return reject(entry, "no data file: metadata and private files are there");
    }
    if (entry.fate == Fate::named || entry.fate == Fate::kept) {
      return;
    }
    try {
      judge_file(orphan, entry);
    } catch (const base::Error& error) {
      if (error.sys_errno() == ENOENT || error.sys_errno() == ENOTDIR) {
        entry.fate = Fate::gone;
      } else {
        reject(entry, error.what());
      }
    }
  }

  void judge_file(Orphan& orphan, Entry& entry) {
    struct stat status {};

    if (!base::status_at(parent(orphan.path), base::base_name(orphan.path), status)) {
      entry.fate = Fate::gone;
      return;
    }
    if (!S_ISREG(status.st_mode)) {
      return reject(entry, "not a regular file");
    }
    if (status.st_dev != device()) {
      return reject(entry, "on another file system");
    }
    const auto mark = sstream::FileMark::of(status);
    entry.size = mark.size;
    if (orphan.mark && *orphan.mark != mark) {
      entry.fate = Fate::changed;
      entry.reason = "changed since it was recorded";
      orphan.mark = mark;
      return;
    }
    if (!orphan.since) {
      return reject(entry, base::cat("its date '", orphan.stamp, "' cannot be read"));
    }
    const auto now = context_.clock.now();
    const auto since =
        *orphan.since >= first_plausible
            ? *orphan.since
            : base::Time(std::chrono::seconds(std::max(mark.mtime_ns, mark.ctime_ns) / 1000000000));
    entry.fate = options_.now || since + options_.older < now ? Fate::reap : Fate::young;
  }

  dev_t device() {
    if (!device_) {
      struct stat status {};

      ::fstat(data_.root(), &status);
      device_ = status.st_dev;
    }
    return *device_;
  }

  /// The directory of a path; kept open, as the list is sorted.
  int parent(const std::string& path) {
    const auto above = parent_of(path);
    if (!parent_ || above != parent_path_) {
      parent_ = base::File();
      parent_ = base::open_parent_beneath(data_.root(), path, false);
      parent_path_ = above;
    }
    return parent_.fd();
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
             entries_[i].size > options_.max_bytes.value_or(UINT64_MAX) - result_.bytes;
      if (full) {
        entries_[i].fate = Fate::young;
        ++result_.capped;
      } else {
        ++files;
        result_.bytes += entries_[i].size;
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
      struct stat status {};

      if (entry.kind == base::EntryKind::file && base::status_at(entry.dirfd, entry.name, status)) {
        total += static_cast<std::uint64_t>(status.st_size);
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
    parent_ = base::File();
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
      struct stat status {};

      const int directory = parent(orphan.path);
      const auto name = base::base_name(orphan.path);
      if (!base::status_at(directory, name, status) || !S_ISREG(status.st_mode)) {
        result_.bytes -= entry.size;
        return reject(entry, "changed while it was to be reaped");
      }
      trash.take(directory, name, orphan.path);
      emptied_.insert(parent_path_);
      done_.insert(static_cast<std::size_t>(&entry - entries_.data()));
    } catch (const base::Error& error) {
      result_.bytes -= entry.size;
      reject(entry, error.what());
    }
  }

  /// Deepest first; data_d itself stays, and so does whatever holds something.
  void remove_empty_directories() {
    for (auto at = emptied_.rbegin(); at != emptied_.rend(); ++at) {
      for (auto path = *at; !path.empty(); path = parent_of(path)) {
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
  std::optional<dev_t> device_;
  base::File parent_;
  std::string parent_path_;
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

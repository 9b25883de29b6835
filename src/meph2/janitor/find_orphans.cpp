#include "meph2/janitor/find_orphans.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/janitor/path_set.h"
#include "sstream/janitor/stream_use.h"
#include "sstream/repository/published_keyring.h"

namespace meph2 {

namespace {

using sstream::Orphan;
using sstream::StreamUse;

/// While somebody adds files, those younger than this may be theirs.
constexpr auto staging_floor = std::chrono::hours(24);

/// Which documents are live now: changes with every publication, and costs no reading.
std::string live_state(const std::vector<StreamUse>& uses) {
  std::string state;
  for (const auto& use : uses) {
    const auto live = use.repository().open_live();
    if (!live) {
      continue;  // who reads it says so
    }
    for (const auto& name : base::list_directory(live.fd())) {
      if (const auto status = base::status_of(live.fd(), name)) {
        state += base::cat(name, " ", status->st_ino, " ", status->st_size, " ",
                           status->st_mtim.tv_sec, " ", status->st_mtim.tv_nsec, "\n");
      }
    }
  }
  return state;
}

class Finder {
 public:
  Finder(const FindOrphansOptions& options, const sstream::Context& context)
      : options_(options), context_(context), data_(options.data_d, sstream::Access::read) {
    auto words = options.streams;
    if (words.empty()) {
      if (!data_.open_live()) {
        throw base::Error(
            base::Errc::usage,
            base::cat(options.data_d, ": has no streams/v1: name the streams that use it"));
      }
      words.push_back(options.data_d);
    }
    result_.list.streams = sstream::resolve_streams(words);
    for (const auto& spec : result_.list.streams) {
      uses_.emplace_back(spec, sstream::Access::read, data_.root());
    }
    choose_trust();
  }

  FindOrphansResult run() {
    auto previous = load_previous();
    auto locks = lock();
    read_live();
    base::failpoint::sync("find-after-live");
    walk();
    locks.clear();
    look_again();
    std::sort(result_.list.orphans.begin(), result_.list.orphans.end(),
              [](const auto& one, const auto& other) { return one.path < other.path; });
    merge(previous);
    result_.list.digest = previous.digest;
    if (!options_.dry_run && options_.orphans != "-") {
      result_.list.save(options_.orphans);
    }
    return std::move(result_);
  }

 private:
  void choose_trust() {
    policy_.kept = false;
    policy_.allow_empty = options_.allow_empty;
    if (!options_.keyring.empty()) {
      verifier_ =
          std::make_unique<io::Verifier>(io::Keyring::load(options_.keyring), context_.clock);
      policy_.verifier = verifier_.get();
      result_.list.keyring = base::real_path(base::open_file(options_.keyring, O_PATH).fd());
    } else if (options_.require_signed) {
      throw base::Error(base::Errc::usage, "--require-signed needs --keyring");
    }
  }

  sstream::OrphanFile load_previous() const {
    if (options_.orphans == "-") {
      return {};
    }
    if (!options_.rebuild) {
      return sstream::OrphanFile::load(options_.orphans);
    }
    sstream::OrphanFile forgotten;
    forgotten.digest = "rebuilt";
    return forgotten;
  }

  /// Shared: nobody deletes meanwhile. A tree without the private directory has no such visitors
  /// yet.
  std::vector<base::FileLock> lock() const {
    std::vector<base::FileLock> locks;
    const auto take = [&](const sstream::Repository& repository) {
      if (repository.private_dir() >= 0) {
        locks.push_back(
            repository.lock_stage(base::LockMode::shared, options_.lock_timeout, context_));
      }
    };
    take(data_);
    for (const auto& use : uses_) {
      if (!base::same_file(use.repository().root(), data_.root())) {
        take(use.repository());
      }
    }
    return locks;
  }

  void read_live() {
    live_ = sstream::PathSet();
    state_ = live_state(uses_);
    sstream::for_each_name(
        uses_, policy_, context_.clock.now(),
        [&](const StreamUse&, std::string_view name, std::string_view) { live_.add(name); });
    live_.seal();
  }

  void walk() {
    const auto own = own_files();
    base::walk_entries(data_.root(), [&](const base::Entry& entry) {
      base::check_stop(context_.stop);
      if (entry.kind == base::EntryKind::directory) {
        return enters(entry);
      }
      if (entry.kind != base::EntryKind::file) {
        meet_special(entry);
      } else if (!live_.contains(entry.path) && !entry.name.starts_with(".nfs") &&
                 std::find(own.begin(), own.end(), entry.path) == own.end()) {
        add(entry);
      }
      return true;
    });
    drop_linked();
  }

  /// The list itself, where it lies in the data directory, and the keyring that readers are given.
  std::vector<std::string> own_files() const {
    const auto directory = base::open_directory(base::parent_of(options_.orphans));
    const auto full =
        base::cat(base::real_path(directory.fd()), "/", base::base_name(options_.orphans));
    const auto top = base::real_path(data_.root()) + "/";
    std::vector<std::string> own = {sstream::keyring_file, sstream::armored_keyring_file};
    if (full.starts_with(top)) {
      const auto name = full.substr(top.size());
      own.insert(own.end(), {name, name + ".state", name + ".bak"});
    }
    return own;
  }

  /// streams/ and .data/ are not data, here and in a stream that lies below; a stream that was not
  /// named is not ours to judge.
  bool enters(const base::Entry& entry) {
    if (entry.path == "streams" || entry.path == ".data" || entry.path == "lost+found") {
      return false;
    }
    if (base::exists_at(entry.dirfd, entry.name + "/streams/v1")) {
      const auto root = base::cat(base::real_path(data_.root()), "/", entry.path);
      const bool named = std::any_of(uses_.begin(), uses_.end(),
                                     [&](const auto& use) { return use.spec().root == root; });
      if (!named) {
        result_.special.push_back(entry.path + "/");
        context_.log.warning(base::cat(entry.path, ": another stream; left alone"));
      } else {
        below_.push_back(entry.path + "/streams");
        below_.push_back(entry.path + "/.data");
      }
      return named;
    }
    return std::find(below_.begin(), below_.end(), entry.path) == below_.end();
  }

  /// Neither followed nor recorded. What a link points to may be what a stream names through it.
  void meet_special(const base::Entry& entry) {
    result_.special.push_back(entry.path);
    if (entry.kind != base::EntryKind::symlink) {
      return;
    }
    try {
      const auto target = base::open_file_at(entry.dirfd, entry.name, O_PATH);
      const auto full = base::real_path(target.fd());
      const auto top = base::real_path(data_.root()) + "/";
      if (full.starts_with(top)) {
        linked_.push_back(full.substr(top.size()) + (S_ISDIR(target.status().st_mode) ? "/" : ""));
      }
    } catch (const base::Error&) {
      context_.log.debug(base::cat(entry.path, ": a link to nothing"));
    }
  }

  void drop_linked() {
    for (const auto& target : linked_) {
      std::erase_if(result_.list.orphans, [&](const Orphan& orphan) {
        return orphan.path == target || (target.ends_with("/") && orphan.path.starts_with(target));
      });
    }
  }

  void add(const base::Entry& entry) {
    const auto status = base::status_of(entry.dirfd, entry.name);
    if (!status || !S_ISREG(status->st_mode)) {
      return;
    }
    Orphan orphan;
    orphan.path = entry.path;
    orphan.mark = sstream::FileMark::of(*status);
    result_.list.orphans.push_back(std::move(orphan));
  }

  bool somebody_stages() const {
    const auto busy = [](const sstream::Repository& repository) {
      return repository.private_dir() >= 0 &&
             !base::lock_is_free(repository.private_dir(), "stage.lock");
    };
    return busy(data_) || std::any_of(uses_.begin(), uses_.end(),
                                      [&](const auto& use) { return busy(use.repository()); });
  }

  /// Files come before the metadata that names them. Whoever placed a file that the walk met has by
  /// now published it, given up, or still holds the lock.
  void look_again() {
    if (result_.list.orphans.empty()) {
      return;
    }
    auto& orphans = result_.list.orphans;
    if (somebody_stages()) {
      const auto floor = context_.clock.now() - staging_floor;
      const auto before = orphans.size();
      std::erase_if(orphans, [&](const Orphan& orphan) {
        return orphan.mark->ctime_ns / 1000000000 >= floor.time_since_epoch().count();
      });
      result_.young = before - orphans.size();
    }
    if (live_state(uses_) != state_) {
      read_live();
      std::erase_if(orphans, [&](const Orphan& orphan) { return live_.contains(orphan.path); });
    }
  }

  void merge(sstream::OrphanFile& previous) {
    const auto now = context_.clock.now();
    std::size_t known = 0;
    for (auto& orphan : result_.list.orphans) {
      result_.bytes += orphan.mark->size;
      orphan.last_seen = now;
      orphan.since = now;
      orphan.sightings = 1;
      const auto* before = previous.find(orphan.path);
      if (before == nullptr) {
        ++result_.added;
        continue;
      }
      ++known;
      if (before->mark && before->mark != orphan.mark) {
        ++result_.restarted;  // somebody wrote, moved or linked it since
        continue;
      }
      orphan.since = std::min(before->since.value_or(now), now);
      orphan.sightings = before->sightings + 1;
    }
    result_.dropped = previous.orphans.size() - known;
    restart_named_since(now);
  }

  /// A file that was named again after it was first seen, and is not named any more, begins anew.
  /// The kept generations tell, as far back as they go.
  void restart_named_since(base::Time now) {
    base::Time oldest = now;
    for (const auto& orphan : result_.list.orphans) {
      oldest = std::min(oldest, *orphan.since);
    }
    for (const auto& use : uses_) {
      for (const auto& generation : use.repository().kept_generations()) {
        const auto replaced = std::min(sstream::replaced_at(use.repository(), generation), now);
        if (replaced <= oldest) {
          continue;
        }
        sstream::for_each_named_path(
            use.repository(), {.one = generation}, [&](std::string_view path, auto) {
              use.for_each_name(path, [&](std::string_view name) { restart(name, replaced); });
            });
      }
    }
  }

  void restart(std::string_view name, base::Time replaced) {
    auto* orphan = result_.list.find(std::string(name));
    if (orphan != nullptr && *orphan->since < replaced) {
      orphan->since = replaced;
      orphan->sightings = 1;
      ++result_.restarted;
    }
  }

  const FindOrphansOptions& options_;
  const sstream::Context& context_;
  sstream::Repository data_;
  std::vector<StreamUse> uses_;
  std::unique_ptr<io::Verifier> verifier_;
  sstream::ReferencePolicy policy_;
  sstream::PathSet live_;
  std::string state_;
  std::vector<std::string> linked_;
  std::vector<std::string> below_;
  FindOrphansResult result_;
};

}  // namespace

FindOrphansResult find_orphans(const FindOrphansOptions& options, const sstream::Context& context) {
  return base::with_context("find-orphans", [&] { return Finder(options, context).run(); });
}

}  // namespace meph2

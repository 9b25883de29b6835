#include "sstream/publish/swap.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/atomic_file.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/json/json.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/history.h"

namespace sstream {

namespace {

constexpr std::size_t generations_kept = 5;
constexpr const char* journal_name = "journal.json";

/// After the visible step: what fails now must not read as "stream unchanged".
template <typename Body>
void after_commit(base::Errc code, const char* state, Body&& body) {
  try {
    body();
  } catch (const base::Error& error) {
    throw error.becomes(code, state);
  }
}

base::File open_generations(const Repository& repository) {
  if (!base::exists_at(repository.private_dir(), "generations")) {
    base::make_directory_at(repository.private_dir(), "generations", 0755);
  }
  return base::open_directory_at(repository.private_dir(), "generations");
}

void forget_old_generations(int generations) {
  auto names = base::list_directory(generations);
  const auto surplus = names.size() > generations_kept ? names.size() - generations_kept : 0;
  for (std::size_t i = 0; i < surplus; ++i) {
    base::remove_tree_at(generations, names[i]);
  }
}

/// The replaced generation, now under the name of the new one, becomes history.
void archive(const Repository& repository, const std::string& replaced, const std::string& keep) {
  const auto generations = open_generations(repository);
  base::remove_tree_at(generations.fd(), keep);
  try {
    base::rename_at(repository.streams(), replaced, generations.fd(), keep);
  } catch (const base::Error& error) {
    if (error.sys_errno() != EXDEV) {
      throw;
    }
    base::remove_tree_at(repository.streams(), replaced);  // .data is elsewhere: no history then
  }
  forget_old_generations(generations.fd());
}

std::vector<std::string> files_in(int directory) {
  auto names = base::list_directory(directory);
  std::erase_if(names, [&](const auto& name) { return !base::is_file_at(directory, name); });
  return names;
}

std::string sha256_at(int directory, const std::string& name) {
  if (!base::exists_at(directory, name)) {
    return {};
  }
  auto file = base::open_beneath(directory, name, O_RDONLY);
  return io::digest_file(io::Algorithm::sha256, file);
}

io::Json make_journal(int next, int live, const std::string& next_name) {
  auto files = files_in(next);
  std::stable_sort(files.begin(), files.end(),
                   [](const auto& a, const auto& b) { return rename_rank(a) < rename_rank(b); });
  io::Json renames = io::Json::array();
  for (const auto& file : files) {
    renames.push_back({{"file", file}, {"sha256", sha256_at(next, file)}});
  }
  io::Json removals = io::Json::array();
  for (const auto& file : files_in(live)) {
    if (std::find(files.begin(), files.end(), file) == files.end()) {
      removals.push_back(file);
    }
  }
  return {{"next", next_name}, {"renames", renames}, {"removals", removals}};
}

/// Rolls the journal forward; every step may have been done before.
void redo(const Repository& repository, const io::Json& journal) {
  const auto next_name = journal.at("next").get<std::string>();
  base::require_safe_path(next_name);
  if (!base::exists_at(repository.streams(), next_name)) {
    // Given up before its first rename: after that the generation's directory outlives the journal.
    base::unlink_at(repository.private_dir(), journal_name);
    return;
  }
  const auto live = base::open_directory_at(repository.streams(), "v1");
  const auto next = base::open_directory_at(repository.streams(), next_name);
  for (const auto& entry : journal.at("renames")) {
    const auto file = entry.at("file").get<std::string>();
    base::require_safe_path(file);
    if (base::exists_at(next.fd(), file)) {
      base::rename_at(next.fd(), file, live.fd(), file);
    } else if (sha256_at(live.fd(), file) != entry.at("sha256").get<std::string>()) {
      throw base::Error(
          base::Errc::failed,
          base::cat(
              "finish the interrupted publication: streams/v1/", file,
              " is neither the old nor the new one; restore it from .data/.sstream/generations"));
    }
  }
  for (const auto& file : journal.at("removals")) {
    base::require_safe_path(file.get<std::string>());
    base::unlink_at(live.fd(), file.get<std::string>());
  }
  base::sync_directory(live.fd(), "streams/v1");
  base::unlink_at(repository.private_dir(), journal_name);
  base::remove_tree_at(repository.streams(), next_name);
}

/// From the moment the journal has its name the publication goes forward. Where writing it fails,
/// it must not stay: the generation that it names is about to be given up.
void write_journal(const Repository& repository, const io::Json& journal) {
  try {
    base::replace_file(repository.private_dir(), journal_name, io::to_text(journal));
  } catch (const base::Error&) {
    after_commit(base::Errc::cleanup_incomplete, "the next run finishes the publication",
                 [&] { base::unlink_at(repository.private_dir(), journal_name); });
    throw;
  }
}

void swap_by_journal(const Repository& repository, const std::string& next,
                     const std::string& keep) {
  const auto live_directory = base::open_directory_at(repository.streams(), "v1");
  const auto next_directory = base::open_directory_at(repository.streams(), next);
  const auto generations = open_generations(repository);
  base::remove_tree_at(generations.fd(), keep);
  base::make_directory_at(generations.fd(), keep);
  const auto copy = base::open_directory_at(generations.fd(), keep);
  base::copy_tree(live_directory.fd(), copy.fd(), [](const std::string&) { return false; });
  const auto journal = make_journal(next_directory.fd(), live_directory.fd(), next);
  write_journal(repository, journal);
  after_commit(base::Errc::cleanup_incomplete, "the next run finishes the publication", [&] {
    redo(repository, journal);
    forget_old_generations(generations.fd());
  });
}

}  // namespace

int rename_rank(const std::string& file) {
  const bool index = file.starts_with("index.");
  if (file.ends_with(".sjson")) {
    return index ? 5 : 0;
  }
  return (index ? 3 : 1) + (file.ends_with(".gpg") ? 0 : 1);
}

void make_live(const Repository& repository, const std::string& next, const std::string& keep) {
  base::failpoint::sync("before-commit");
  const int streams = repository.streams();
  const bool first = !base::exists_at(streams, "v1");
  if (first) {
    base::rename_at(streams, next, streams, "v1");
  } else if (!base::exchange_at(streams, next, streams, "v1")) {
    swap_by_journal(repository, next, keep);
    return;
  }
  base::failpoint::sync("after-commit");
  after_commit(base::Errc::durability_unknown, "published, but a power cut now may undo it",
               [&] { base::sync_directory(streams, "streams"); });
  if (!first) {
    after_commit(base::Errc::cleanup_incomplete, "published; the next run cleans up",
                 [&] { archive(repository, next, keep); });
  }
}

namespace {

/// A generation that was never published, or was replaced: whichever it holds, it is garbage.
bool is_leftover(std::string_view name) {
  return name.starts_with(".v1.");
}

bool any_in(int directory, bool (*wanted)(std::string_view)) {
  const auto names = base::list_directory(directory);
  return std::any_of(names.begin(), names.end(), wanted);
}

void remove_from(int directory, bool (*wanted)(std::string_view)) {
  for (const auto& name : base::list_directory(directory)) {
    if (wanted(name)) {
      base::remove_tree_at(directory, name);
    }
  }
}

/// A run that died between the visible step and its clean-up left the replaced generation under the
/// name of the new one: it belongs to the history.
void archive_replaced(const Repository& repository) {
  const auto last = last_history(repository);
  if (!last || last->generation == 0) {
    return;
  }
  const auto replaced = base::cat(".v1.", generation_name(last->generation), ".new");
  if (base::exists_at(repository.streams(), replaced) && live_digest(repository) == last->digest &&
      metadata_digest(base::open_directory_at(repository.streams(), replaced).fd()) == last->base) {
    archive(repository, replaced, generation_name(last->generation - 1));
  }
}

}  // namespace

bool needs_recovery(const Repository& repository) {
  return base::exists_at(repository.private_dir(), journal_name) ||
         any_in(repository.streams(), is_leftover) ||
         any_in(repository.private_dir(), base::is_temporary_name);
}

void recover(const Repository& repository) {
  if (base::exists_at(repository.private_dir(), journal_name)) {
    auto file = base::open_file_at(repository.private_dir(), journal_name, O_RDONLY | O_NOFOLLOW);
    redo(repository, io::read_json(file));
  }
  if (any_in(repository.streams(), is_leftover)) {
    archive_replaced(repository);
    remove_from(repository.streams(), is_leftover);
  }
  remove_from(repository.private_dir(), base::is_temporary_name);
}

}  // namespace sstream

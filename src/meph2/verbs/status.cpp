#include "meph2/verbs/status.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/openpgp/openpgp.h"
#include "meph2/janitor/find_orphans.h"
#include "meph2/supply/soak.h"
#include "meph2/verbs/history.h"
#include "sstream/format/item_stream.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/signing.h"

namespace meph2 {

namespace {

using sstream::Generation;
using sstream::Repository;

std::optional<std::int64_t> age_of(std::optional<base::Time> since, base::Time now) {
  return since ? std::optional((now - *since).count()) : std::nullopt;
}

void read_index(const Generation& live, base::Time now, StatusResult& result) {
  if (live.index().is_object()) {
    result.updated = live.index().value("updated", std::string());
  }
  result.index_age = age_of(base::parse_stamp(result.updated), now);
}

void read_products(const Generation& live, base::Time now, StatusResult& result) {
  std::map<std::string, std::string> newest;
  for (const auto& [content_id, stream] : live.streams()) {
    for (const auto& product : live.summary(content_id).versions) {
      newest[product.first];  // also those without a version
    }
    auto file = base::open_beneath(live.directory(), stream.file, O_RDONLY);
    sstream::visit_items(file, [&](const sstream::Item& item) {
      auto& version = newest[item.pedigree().product];
      version = std::max(version, item.pedigree().version);
    });
  }
  for (const auto& [product, version] : newest) {
    result.products.push_back({product, version, age_of(end_of_version_day(version), now)});
  }
  std::stable_sort(result.products.begin(), result.products.end(),
                   [](const auto& a, const auto& b) { return a.newest < b.newest; });
}

void read_key(const std::string& signer, const base::Clock& clock, StatusResult& result) {
  result.signer = signer;
  if (signer.empty()) {
    return;
  }
  try {
    if (const auto expires = io::Signer(signer, clock).expires()) {
      result.key_days =
          std::chrono::duration_cast<std::chrono::days>(*expires - clock.now()).count();
    }
  } catch (const base::Error& error) {
    result.problems.push_back(base::cat("cannot sign: ", error.what()));
  }
}

StatusResult::Count count_below(const Repository& repository, const std::string& name,
                                const sstream::Context& context) {
  StatusResult::Count count;
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), name)) {
    return count;
  }
  const auto root = base::open_directory_at(repository.private_dir(), name);
  base::walk_tree(root.fd(), [&](const std::string&, const struct stat& status) {
    base::check_stop(context.stop);
    if (S_ISREG(status.st_mode)) {
      ++count.files;
      count.bytes += static_cast<std::uint64_t>(status.st_size);
    }
    return true;
  });
  return count;
}

void look_for_orphans(const StatusOptions& options, const sstream::Context& context,
                      StatusResult& result) {
  FindOrphansOptions search;
  search.orphans = "-";
  search.data_d = options.target;
  search.dry_run = true;
  search.allow_empty = true;
  search.lock_timeout = options.lock_timeout;
  const auto found = find_orphans(search, context);
  result.orphans = StatusResult::Count{found.list.orphans.size(), found.bytes};
}

void judge(const StatusOptions& options, StatusResult& result) {
  if (result.updated.empty()) {
    result.problems.emplace_back("there is no index, or it has no date");
  }
  if (options.max_age && (!result.index_age || *result.index_age > options.max_age->count())) {
    result.problems.push_back(
        base::cat("the index is older than ", options.max_age->count(), " seconds"));
  }
  if (result.key_days && *result.key_days < sstream::key_expiry_warning.count()) {
    result.problems.push_back(base::cat("the signing key expires in ", *result.key_days, " days"));
  }
  if (result.edited_since) {
    result.problems.emplace_back(
        "something else edited the metadata since the last publication; `meph2-util sign` "
        "signs it as it is, `meph2-util rollback` takes it back");
  }
}

}  // namespace

StatusResult status(const StatusOptions& options, const sstream::Context& context) {
  const Repository repository(options.target, sstream::Access::read);
  const auto now = context.clock.now();
  const auto live = Generation::load(repository);
  if (live.directory() < 0) {
    throw base::Error(base::Errc::not_found,
                      base::cat(options.target, ": has no stream (no streams/v1)"));
  }
  StatusResult result;
  const auto known = history({options.target, {}});
  if (!known.rows.empty()) {
    result.last = known.rows.back().entry;
  }
  result.edited_since = known.edited_since;
  read_index(live, now, result);
  read_products(live, now, result);
  read_key(repository.read_state().signer, context.clock, result);
  result.staged = count_below(repository, "txn", context);
  result.trash = count_below(repository, "trash", context);
  result.interrupted = repository.private_dir() >= 0 && sstream::needs_recovery(repository);
  const auto holds = sstream::Holds::load(repository);
  for (const auto& hold : holds.all()) {
    if (hold.active(now)) {
      result.holds.push_back(hold);
    }
  }
  if (options.orphans) {
    look_for_orphans(options, context, result);
  }
  judge(options, result);
  return result;
}

}  // namespace meph2

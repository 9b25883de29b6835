#include "meph2/verbs/history.h"

#include <algorithm>

#include "sstream/repository/generation.h"

namespace meph2 {

HistoryResult history(const HistoryOptions& options) {
  const sstream::Repository repository(options.target, sstream::Access::read);
  const auto live = sstream::live_digest(repository);
  const auto known = sstream::read_history(repository, repository.read_state().generation, live);
  const auto kept = repository.kept_generations();
  HistoryResult result;
  result.unreadable = known.unreadable;
  std::string previous;
  for (const auto& entry : known.entries) {
    HistoryResult::Row row;
    row.entry = entry;
    row.live = &entry == &known.entries.back() && entry.digest == live;
    row.kept = std::find(kept.begin(), kept.end(), sstream::generation_name(entry.generation)) !=
               kept.end();
    row.edited = !previous.empty() && entry.base != previous;
    previous = entry.digest;
    if (options.action.empty() || options.action == entry.action) {
      result.rows.push_back(std::move(row));
    }
  }
  result.edited_since = !previous.empty() && previous != live;
  return result;
}

}  // namespace meph2

#include "sstream/format/work_plan.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"

namespace sstream {

namespace {

using Names = std::vector<std::string>;

void sort_newest_first(Names& names) {
  std::sort(names.begin(), names.end(), std::greater<>());
}

/// The first `count` of the vanished versions (newest first) stay.
void keep_newest(Names& remove, std::size_t count) {
  remove.erase(remove.begin(),
               remove.begin() + static_cast<std::ptrdiff_t>(std::min(count, remove.size())));
}

/// Everything past the first `max` survivors goes: out of `add`, or into `remove`.
void limit(WorkPlan& plan, const Names& target, std::size_t max) {
  const std::set<std::string> removed(plan.remove.begin(), plan.remove.end());
  const std::set<std::string> added(plan.add.begin(), plan.add.end());
  Names survivors = plan.add;
  std::copy_if(target.begin(), target.end(), std::back_inserter(survivors),
               [&](const auto& name) { return !removed.contains(name); });
  sort_newest_first(survivors);
  for (std::size_t i = max; i < survivors.size(); ++i) {
    if (added.contains(survivors[i])) {
      std::erase(plan.add, survivors[i]);
    } else {
      plan.remove.push_back(survivors[i]);
    }
  }
}

}  // namespace

WorkPlan resolve_work(const Names& source, const Names& target, std::optional<std::size_t> max,
                      bool keep, const std::function<bool(const std::string&)>& wanted) {
  if (keep && !max) {
    throw base::Error(base::Errc::internal, "resolve_work: keep needs a maximum");
  }
  const std::set<std::string> in_source(source.begin(), source.end());
  const std::set<std::string> in_target(target.begin(), target.end());
  WorkPlan plan;
  std::copy_if(
      in_source.rbegin(), in_source.rend(), std::back_inserter(plan.add),
      [&](const auto& name) { return !in_target.contains(name) && (!wanted || wanted(name)); });
  std::copy_if(in_target.rbegin(), in_target.rend(), std::back_inserter(plan.remove),
               [&](const auto& name) { return !in_source.contains(name); });
  if (keep) {
    const auto total = in_target.size() + plan.add.size();
    const auto left = total - plan.remove.size();
    keep_newest(plan.remove, *max > left ? *max - left : 0);
  }
  if (max) {
    limit(plan, {in_target.begin(), in_target.end()}, *max);
  }
  std::sort(plan.remove.begin(), plan.remove.end());
  return plan;
}

}  // namespace sstream

#include "sstream/format/work_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace {

using sstream::resolve_work;
using Names = std::vector<std::string>;

struct WorkCase {
  const char* name;
  Names source;
  Names target;
  std::optional<std::size_t> max;
  bool keep;
  Names add;
  Names remove;
};

// The established tools' own cases (test_resolvework) and what was measured of them
// (docs/format.md 2.4).
const std::vector<WorkCase> work_cases = {
    {"full replace",
     {"10", "09", "08"},
     {"07", "06", "05"},
     {},
     false,
     {"10", "09", "08"},
     {"05", "06", "07"}},
    {"only new, max",
     {"10", "09", "08"},
     {"07", "06", "05"},
     2,
     false,
     {"10", "09"},
     {"05", "06", "07"}},
    {"only new, keep",
     {"10", "09", "08"},
     {"07", "06", "05"},
     4,
     true,
     {"10", "09", "08"},
     {"05", "06"}},
    {"only remove", {"3"}, {"3", "2", "1"}, {}, false, {}, {"1", "2"}},
    {"only remove, keep", {"3"}, {"3", "2", "1"}, 3, true, {}, {}},
    {"only remove, max", {"3"}, {"3", "2", "1"}, 2, false, {}, {"1", "2"}},
    {"empty source", {}, {"3", "2", "1"}, {}, false, {}, {"1", "2", "3"}},
    {"empty source, keep", {}, {"3", "2", "1"}, 3, true, {}, {}},
    {"empty source, max", {}, {"3", "2", "1"}, 3, false, {}, {"1", "2", "3"}},
    {"max forces remove", {"2", "1"}, {"2", "1"}, 1, false, {}, {"1"}},
    {"nothing needed", {"2", "1"}, {"2", "1"}, 2, false, {}, {}},
    {"target has newest", {"1", "2", "3", "4"}, {"4"}, 1, false, {}, {}},
    {"reduced max",
     {"9", "8", "7", "6", "5", "4", "3", "2", "1"},
     {"9", "8", "7", "6", "5"},
     4,
     false,
     {},
     {"5"}},
    {"source beats vanished", {"5", "4"}, {"9", "8", "7", "5"}, 2, true, {"4"}, {"7", "8", "9"}},
    {"source beats vanished, all", {"5"}, {"9", "8"}, 2, true, {"5"}, {"8"}},
    {"zero removes all", {"2"}, {"2", "1"}, 0, true, {}, {"1", "2"}},
};

TEST(WorkPlan, GivesWhatTheEstablishedToolsGive) {
  for (const auto& c : work_cases) {
    const auto plan = resolve_work(c.source, c.target, c.max, c.keep);
    EXPECT_EQ(plan.add, c.add) << c.name;
    EXPECT_EQ(plan.remove, c.remove) << c.name;
  }
}

TEST(WorkPlan, FilterGuardsAdditionsOnly) {
  const auto few = resolve_work({"1", "2", "3", "4", "5"}, {"1"}, {}, false,
                                [](const std::string& name) { return name < "3"; });
  EXPECT_EQ(few.add, Names({"2"}));
  EXPECT_TRUE(few.remove.empty());
  const auto evicted = resolve_work({"3", "2", "1"}, {"3", "2"}, 1, false,
                                    [](const std::string& name) { return name == "1"; });
  EXPECT_TRUE(evicted.add.empty());
  EXPECT_EQ(evicted.remove, Names({"2"}));
}

TEST(WorkPlan, KeepNeedsAMaximum) {
  EXPECT_THROW(resolve_work({}, {}, {}, true), base::Error);
}

}  // namespace

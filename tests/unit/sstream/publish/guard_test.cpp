#include "sstream/publish/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace {

using sstream::GuardRails;
using Versions = std::map<std::string, std::size_t>;

std::string refusal(const GuardRails& rails, const Versions& before, const Versions& after) {
  sstream::StreamSummary from;
  from.versions = before;
  sstream::StreamSummary to;
  to.versions = after;
  try {
    sstream::check_shrink(rails, "c", from, to);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::refused);
    return error.what();
  }
  return {};
}

struct Case {
  Versions before;
  Versions after;
  std::string refused;  ///< a part of the message; empty: it may pass
  GuardRails rails = {.enforced = true};
};

TEST(Guard, RefusesWhatASourceMayNotTakeAway) {
  const GuardRails shrink{.enforced = true, .allow_shrink = true};
  const GuardRails drop{.enforced = true, .allow_drop = {"b"}};
  const GuardRails both{.enforced = true, .allow_shrink = true, .allow_drop = {"a"}};
  const std::vector<Case> cases = {
      {.before = {}, .after = {}, .refused = ""},
      {.before = {{"a", 1}}, .after = {{"a", 1}, {"b", 2}}, .refused = ""},
      {.before = {{"a", 4}}, .after = {{"a", 2}}, .refused = ""},  // half may go
      {.before = {{"a", 5}},
       .after = {{"a", 2}},
       .refused = "1 products with 5 versions would shr"},
      {.before = {{"a", 5}}, .after = {{"a", 2}}, .refused = "", .rails = shrink},
      {.before = {{"a", 1}, {"b", 1}}, .after = {{"a", 2}}, .refused = "product b would disappear"},
      {.before = {{"a", 1}, {"b", 1}},
       .after = {{"a", 2}},
       .refused = "product b",
       .rails = shrink},
      {.before = {{"a", 1}, {"b", 1}}, .after = {{"a", 2}}, .refused = "", .rails = drop},
      {.before = {{"a", 1}, {"b", 0}}, .after = {{"a", 1}}, .refused = ""},  // it had no version
      {.before = {{"b", 1}}, .after = {}, .refused = "nothing would be left", .rails = drop},
      {.before = {{"a", 3}}, .after = {{"a", 0}}, .refused = "nothing would be left"},
      {.before = {{"a", 3}}, .after = {}, .refused = "", .rails = both},
      {.before = {{"a", 1}, {"x", 0}, {"y", 0}},  // products without versions count as products
       .after = {{"a", 1}},
       .refused = "3 products with 1 versions would shrink to 1 with 1"},
      {.before = {{"a", 9}, {"b", 9}}, .after = {}, .refused = "", .rails = {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& row = cases[i];
    const auto what = refusal(row.rails, row.before, row.after);
    EXPECT_EQ(what.empty(), row.refused.empty()) << i << ": " << what;
    EXPECT_THAT(what, testing::HasSubstr(row.refused)) << i;
  }
}

}  // namespace

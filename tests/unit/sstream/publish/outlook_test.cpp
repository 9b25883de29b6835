#include "sstream/publish/outlook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/temp_dir.h"

namespace {

using base::Errc;
using io::Json;
using sstream::Generation;
using sstream::GuardRails;
using sstream::Plan;
using sstream::ProductTree;

constexpr std::chrono::seconds second(1);
const base::Time now = *base::parse_stamp("Thu, 01 Jan 2026 00:00:00 +0000");

TEST(NextStamp, IsNowOrASecondAfterEveryEarlierOne) {
  struct Case {
    std::vector<std::string> earlier;
    base::Time next;
  };

  const std::vector<Case> cases = {
      {{}, now},
      {{""}, now},
      {{"yesterday", "Wed, 31 Dec 2025 23:59:58 +0000"}, now},
      {{"Wed, 31 Dec 2025 23:59:59 +0000"}, now},
      {{"Thu, 01 Jan 2026 00:00:00 +0000"}, now + second},
      {{"Fri, 02 Jan 2026 00:00:00 +0000", "Thu, 01 Jan 2026 12:00:00 +0000"},
       now + std::chrono::hours(24) + second},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(base::format_stamp(sstream::next_stamp(now, row.earlier)),
              base::format_stamp(row.next));
  }
}

/// A stream with these versions of one product.
ProductTree tree_of(const std::string& content_id, const std::vector<std::string>& versions,
                    const std::string& tag = "same") {
  auto tree = ProductTree::make(content_id, "image-downloads");
  for (const auto& version : versions) {
    tree.set({"p", version, "item"}, {{"ftype", "root"}, {"tag", tag}});
  }
  tree.set_updated("Wed, 31 Dec 2025 00:00:00 +0000");
  return tree;
}

class OutlookTest : public testing::Test {
 protected:
  /// A live generation of these.
  Generation live(const std::vector<ProductTree>& trees) {
    const sstream::Repository repository(scratch.path() + "/repo", sstream::Access::write, true);
    auto index = Json{{"format", "index:1.0"},
                      {"index", Json::object()},
                      {"updated", "Wed, 31 Dec 2025 12:00:00 +0000"}};
    base::make_directories(scratch.path() + "/repo/streams/v1");
    for (const auto& tree : trees) {
      const auto file = tree.content_id() + ".json";
      write(file, tree.json());
      index["index"][tree.content_id()] =
          sstream::index_entry(sstream::summary_of(tree), "streams/v1/" + file, Json::object());
    }
    write("index.json", index);
    return Generation::load(repository);
  }

  void write(const std::string& file, const Json& json) const {
    base::replace_file(scratch.path() + "/repo/streams/v1/" + file, io::to_text(json));
  }

  base::TempDir scratch{"outlook-"};
};

TEST_F(OutlookTest, OnlyWhatDiffersIsWritten) {
  struct Case {
    ProductTree planned;
    bool known_to_differ;
    std::optional<Json> versions;  ///< none: nothing is written
  };

  const auto generation = live({tree_of("a", {"1", "2"}), tree_of("b", {"1"})});
  std::vector<Case> cases;
  cases.push_back({.planned = tree_of("a", {"1", "2"}), .known_to_differ = false, .versions = {}});
  cases.push_back({.planned = tree_of("a", {"1", "2"}),
                   .known_to_differ = true,
                   .versions = Json::object()});  // it is not compared
  cases.push_back({.planned = tree_of("a", {"1", "2"}, "other"),
                   .known_to_differ = false,
                   .versions = Json::object()});
  cases.push_back(
      {.planned = tree_of("a", {"1"}), .known_to_differ = false, .versions = Json{{"p", {2, 1}}}});
  cases.push_back(
      {.planned = tree_of("c", {"1"}), .known_to_differ = false, .versions = Json{{"p", {0, 1}}}});
  for (auto& row : cases) {
    const auto content_id = row.planned.content_id();
    Plan plan;
    plan.streams.push_back(std::move(row.planned));
    plan.streams.back().known_to_differ = row.known_to_differ;
    const auto next = sstream::outlook(generation, plan, {});
    EXPECT_EQ(next.same_content, !row.versions);
    EXPECT_EQ(next.contents.size(), row.versions ? 1U : 0U);
    auto versions = Json::object();
    if (row.versions) {
      versions[content_id] = *row.versions;
    }
    EXPECT_EQ(next.versions, versions);
    EXPECT_EQ(next.listed.size(), content_id == "c" ? 3U : 2U);
    EXPECT_TRUE(plan.streams.empty());
  }
}

TEST_F(OutlookTest, WhatIsDroppedIsNotListed) {
  const auto generation = live({tree_of("a", {"1"}), tree_of("b", {"1"})});
  Plan plan;
  plan.dropped = {"b"};
  const auto next = sstream::outlook(generation, plan, {});
  EXPECT_FALSE(next.same_content);
  EXPECT_TRUE(next.contents.empty());
  EXPECT_EQ(next.versions, (Json{{"b", nullptr}}));
  EXPECT_TRUE(next.listed.contains("a"));
  EXPECT_FALSE(next.listed.contains("b"));
}

TEST_F(OutlookTest, KeysOfAnEntryComeAndGo) {
  const auto generation = live({tree_of("a", {"1"})});
  Plan plan;
  plan.entries["a"] = {{"cloudname", "x"}, {"products", nullptr}};
  const auto next = sstream::outlook(generation, plan, {});
  EXPECT_FALSE(next.same_content);
  const auto index = sstream::next_index(generation, next.listed);
  EXPECT_EQ(index.at("updated"), "Wed, 31 Dec 2025 12:00:00 +0000");
  EXPECT_EQ(index.at("index").at("a").at("cloudname"), "x");
  EXPECT_FALSE(index.at("index").at("a").contains("products"));
}

TEST_F(OutlookTest, TheRailsAreAskedBeforeAnythingIsWritten) {
  const auto generation = live({tree_of("a", {"1", "2", "3"})});
  for (const bool enforced : {false, true}) {
    Plan plan;
    plan.streams.push_back(tree_of("a", {"1"}));
    const GuardRails rails{.enforced = enforced};
    if (enforced) {
      EXPECT_THROW(sstream::outlook(generation, plan, rails), base::Error);
    } else {
      EXPECT_EQ(sstream::outlook(generation, plan, rails).streams, std::vector<std::string>{"a"});
    }
  }
}

TEST_F(OutlookTest, AContentIdHasToBeFitForAFileName) {
  const auto generation = live({tree_of("a", {"1"})});
  for (const char* content_id : {".x", "index"}) {
    Plan plan;
    plan.streams.push_back(tree_of(content_id, {"1"}));
    try {
      sstream::outlook(generation, plan, {});
      FAIL() << content_id;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), Errc::untrusted) << content_id;
    }
  }
}

TEST_F(OutlookTest, TheNextStampComesAfterTheIndexAndWhatChanges) {
  const auto generation = live({tree_of("a", {"1"}), tree_of("b", {"1"})});
  Plan plan;
  plan.streams.push_back(tree_of("a", {"1", "2"}));
  plan.streams.push_back(tree_of("new", {"1"}));
  const auto next = sstream::outlook(generation, plan, {});
  EXPECT_THAT(
      sstream::earlier_stamps(generation, next.contents),
      testing::ElementsAre("Wed, 31 Dec 2025 12:00:00 +0000", "Wed, 31 Dec 2025 00:00:00 +0000"));
}

}  // namespace

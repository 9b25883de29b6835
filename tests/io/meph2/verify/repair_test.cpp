#include <fcntl.h>

#include "meph2/verbs/hold.h"
#include "sstream/repository/generation.h"
#include "tests/io/meph2/verify/world.h"

namespace {

using base::Errc;
using meph2::Remedy;
using support::GpgHome;
using testing::HasSubstr;
using testing::IsEmpty;

class Repair : public support::VerifyWorld {
 protected:
  std::vector<std::string> versions(const std::string& name) const {
    const sstream::Repository repository(world.path(name), sstream::Access::read);
    return sstream::Generation::load(repository)
        .read_tree(support::janitor_content)
        ->versions(support::janitor_product);
  }
};

/// Twenty flipped bytes, five missing files and a bad signature: all are named, all are mended.
TEST_F(Repair, ADamagedMirrorIsNamedCompletelyAndRepairedFromItsSource) {
  const GpgHome home;
  home.make_key();
  options.sign = true;
  publish("source", files(15));
  publish("mirror", files(15));
  std::vector<std::string> spoilt;
  for (int i = 1; i <= 10; ++i) {
    for (const auto* file : {"squashfs", "manifest"}) {
      spoilt.push_back(base::cat("noble/202601", i < 10 ? "0" : "", i, "/", file));
      flip("mirror/" + spoilt.back());
    }
  }
  for (int i = 11; i <= 15; ++i) {
    spoilt.push_back(base::cat("noble/202601", i, "/squashfs"));
    remove("mirror/" + spoilt.back());
  }
  flip(base::cat("mirror/streams/v1/", support::janitor_content, ".sjson"));

  auto asked = of("mirror");
  const auto found = verify(asked);
  EXPECT_EQ(found.problems.size(), 26U);
  for (const auto& path : spoilt) {
    EXPECT_THAT(problems(found), testing::Contains(testing::EndsWith(path)));
  }
  EXPECT_THAT(problems(found),
              testing::Contains(base::cat("signature ", support::janitor_content, ".json")));

  asked.repair_from = world.path("source");
  asked.publish.sign = true;
  const auto repaired = verify(asked);
  EXPECT_EQ(repaired.problems.size(), 26U);
  for (const auto& one : repaired.problems) {
    EXPECT_EQ(one.remedy, Remedy::repaired) << one.problem.object << ": " << one.failure;
  }
  EXPECT_TRUE(repaired.clean());
  auto again = of("mirror");
  again.data.paranoid = true;
  EXPECT_THAT(problems(verify(again)), IsEmpty());
}

TEST_F(Repair, ADryRunChangesNothing) {
  publish("source", files(2));
  publish("mirror", files(2));
  flip("mirror/noble/20260101/squashfs");
  auto asked = of("mirror");
  asked.repair_from = world.path("source");
  asked.publish.dry_run = true;
  asked.data.read = true;
  verify(of("mirror"));
  const auto before = support::witness(world.path("mirror"));
  const auto result = verify(asked);
  EXPECT_EQ(result.problems.front().remedy, Remedy::repaired);
  auto after = support::witness(world.path("mirror"));
  after.erase(".data/.sstream/verified");
  auto expected = before;
  expected.erase(".data/.sstream/verified");
  EXPECT_EQ(after, expected);
}

/// The source has the content under another path, as a daily stream has what a release stream
/// lost.
TEST_F(Repair, ContentIsFoundByItsDigest) {
  publish("mirror", {{"1", {"a/one", "a/two"}}});
  world.write("source/b/elsewhere", "a/one");
  auto tree = tree_of({{"1", {"b/elsewhere"}}}, "com.example:release:download");
  tree.json()["products"][support::janitor_product]["versions"]["1"]["items"]["item0"].update(
      io::Json{{"sha256", io::digest_hex(io::Algorithm::sha256, "a/one")}, {"size", 5}});
  sstream::publish(
      world.path("source"),
      [&](const sstream::Generation&) {
        sstream::Plan plan;
        plan.streams.push_back(tree);
        return plan;
      },
      options, world.context);
  remove("mirror/a/one");
  auto asked = of("mirror");
  asked.repair_from = world.path("source");
  EXPECT_TRUE(verify(asked).clean());
  EXPECT_EQ(base::read_file(world.path("mirror/a/one")), "a/one");
}

TEST_F(Repair, WhatCannotBeHadDoesNotKeepTheOthersFromBeingMended) {
  publish("source", files(3));
  publish("mirror", files(3));
  flip("source/noble/20260101/squashfs");
  for (const auto* version : {"20260101", "20260102", "20260103"}) {
    remove(base::cat("mirror/noble/", version, "/squashfs"));
  }
  auto asked = of("mirror");
  asked.repair_from = world.path("source");
  const auto result = verify(asked);
  EXPECT_FALSE(result.clean());
  ASSERT_EQ(result.problems.size(), 3U);
  EXPECT_EQ(result.problems[0].remedy, Remedy::none);
  EXPECT_THAT(result.problems[0].failure, HasSubstr("sha256"));
  EXPECT_EQ(result.problems[1].remedy, Remedy::repaired);
  EXPECT_EQ(result.problems[2].remedy, Remedy::repaired);
}

TEST_F(Repair, NothingIsRepairedByMetadataThatNobodyVouchesFor) {
  const GpgHome home;
  home.make_key();
  options.sign = true;
  publish("source", files(1));
  publish("mirror", files(1));
  flip(base::cat("mirror/streams/v1/", support::janitor_content, ".sjson"));
  flip(base::cat("mirror/streams/v1/", support::janitor_content, ".json.gpg"));
  remove("mirror/noble/20260101/squashfs");
  auto asked = of("mirror");
  asked.repair_from = world.path("source");
  const auto before = support::witness(world.path("mirror/streams"));
  const auto result = verify(asked);
  EXPECT_TRUE(result.untrusted);
  EXPECT_FALSE(result.clean());
  EXPECT_FALSE(exists("mirror/noble/20260101/squashfs"));
  EXPECT_EQ(support::witness(world.path("mirror/streams")), before);
}

TEST_F(Repair, BrokenVersionsGoFromTheMetadataByName) {
  publish("repo", files(3));
  flip("repo/noble/20260102/manifest");
  auto asked = of("repo");
  asked.drop_broken = true;
  const auto result = verify(asked);
  EXPECT_THAT(result.dropped, testing::ElementsAre("com.example:p:1@20260102"));
  EXPECT_TRUE(result.clean());
  EXPECT_THAT(versions("repo"), testing::ElementsAre("20260103", "20260101"));
  EXPECT_THAT(problems(verify(of("repo"))), IsEmpty());
}

TEST_F(Repair, AHeldVersionAndAProductsLastOneAreNotDropped) {
  publish("repo", files(2));
  flip("repo/noble/20260102/manifest");
  meph2::HoldOptions hold;
  hold.data_d = world.path("repo");
  hold.version = base::cat(support::janitor_product, "@20260102");
  meph2::hold(hold, world.context);
  auto asked = of("repo");
  asked.drop_broken = true;
  auto result = verify(asked);
  EXPECT_TRUE(result.refused);
  EXPECT_THAT(result.problems.front().failure, HasSubstr("is held"));
  EXPECT_EQ(versions("repo").size(), 2U);

  publish("one", files(1));
  flip("one/noble/20260101/manifest");
  asked = of("one");
  asked.drop_broken = true;
  result = verify(asked);
  EXPECT_TRUE(result.refused);
  EXPECT_THAT(result.problems.front().failure, HasSubstr("only version of the product"));
  asked.allow_drop = {support::janitor_product};
  result = verify(asked);
  EXPECT_FALSE(result.refused);
  EXPECT_TRUE(result.clean());
}

}  // namespace

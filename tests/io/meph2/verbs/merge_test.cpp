#include "meph2/verbs/merge.h"

#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::HasSubstr;
using verbs::daily;

class Merge : public verbs::Verb {
 protected:
  meph2::MergeOptions options() const {
    meph2::MergeOptions options;
    options.source = world.path("src");
    options.target = world.path("dst");
    options.publish = unsigned_options("merge");
    return options;
  }

  meph2::MergeResult merge() { return meph2::merge(options(), world.context); }

  base::Error refusal() {
    const auto before = witness("dst");
    auto failure = support::refused([&] { merge(); });
    auto after = witness("dst");
    EXPECT_EQ(after, before);
    return failure;
  }

  io::Json versions(const std::string& subarch) const {
    return tree("dst", daily).at("products").at(product_of(subarch)).at("versions");
  }
};

TEST_F(Merge, UnitesProductsAndVersions) {
  make_stream("src", {{.version = "20260102", .kernel = "theirs"}, {.subarch = "hwe-24.04"}});
  make_stream("dst", {{}, {.subarch = "ours"}});
  const auto result = merge();
  EXPECT_EQ(tree("dst", daily).at("products").size(), 3U);
  EXPECT_EQ(versions("ga-24.04").size(), 2U);
  EXPECT_EQ(base::read_file(world.path("dst/noble/amd64/20260102/ga-24.04/boot-kernel")), "theirs");
  EXPECT_EQ(result.items.size(), 4U);
  EXPECT_EQ(
      world.read_json("dst/streams/v1/index.json").at("index").at(daily).at("products").size(), 3U);
}

TEST_F(Merge, ATargetThatIsNoStreamYetBecomesOne) {
  make_stream("src", {{}});
  merge();
  EXPECT_EQ(tree("dst", daily).at("products"), tree("src", daily).at("products"));
  EXPECT_EQ(base::read_file(world.path("dst/noble/amd64/20260101/squashfs")), "squashfs");
}

TEST_F(Merge, AnotherContentIdComesBeside) {
  make_stream("src", {{}}, "com.example:custom", "");
  make_stream("dst", {{}});
  const auto before = tree("dst", daily);
  merge();
  EXPECT_EQ(tree("dst", daily), before);
  EXPECT_EQ(world.read_json("dst/streams/v1/index.json").at("index").size(), 2U);
}

TEST_F(Merge, AgainChangesNothing) {
  make_stream("src", {{}, {.subarch = "hwe-24.04"}});
  make_stream("dst", {{.version = "20260102"}});
  merge();
  const auto before = witness("dst");
  world.clock.advance(std::chrono::hours(24));
  EXPECT_FALSE(merge().published.changed);
  EXPECT_EQ(witness("dst"), before);
}

TEST_F(Merge, OtherContentIsAConflictThatNamesBothDigests) {
  make_stream("src", {{}, {.version = "20251231"}});
  make_stream("dst", {{.kernel = "ours"}});
  const auto failure = support::refused([&] { merge(); });
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr(product_of("ga-24.04") + "/20260101/boot-kernel"));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("kernel")));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("ours")));
  EXPECT_EQ(versions("ga-24.04").size(), 1U);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("dst/noble/amd64/20251231")));
}

TEST_F(Merge, HalvesOfAVersionBecomeAWholeAndEachItemKeepsItsTags) {
  make_stream("src", {{}});
  make_stream("dst", {{}});
  auto theirs = tree("src", daily);
  auto& their_product = theirs["products"][product_of("ga-24.04")];
  their_product["versions"]["20260101"]["items"].erase("boot-kernel");
  their_product["support_eol"] = "2029";
  write_stream("src", theirs);
  auto ours = tree("dst", daily);
  auto& our_product = ours["products"][product_of("ga-24.04")];
  our_product["versions"]["20260101"]["items"].erase("squashfs");
  our_product["support_eol"] = "2028";
  write_stream("dst", ours);
  base::unlink_at(AT_FDCWD, world.path("dst/noble/amd64/20260101/squashfs"));

  const auto result = merge();
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].second, "noble/amd64/20260101/squashfs");
  EXPECT_EQ(base::read_file(world.path("dst/noble/amd64/20260101/squashfs")), "squashfs");
  const sstream::ProductTree united(tree("dst", daily), "dst");
  std::map<std::string, std::string> eol;
  united.for_each_item([&](const sstream::Item& item) {
    eol[item.pedigree().item] = item.tag("support_eol").value_or("");
    EXPECT_EQ(item.tag("label"), "daily");
    ASSERT_NE(item.find("notes"), nullptr);
    EXPECT_EQ(*item.find("notes"), io::Json({"typed", 1, true}));
  });
  EXPECT_EQ(eol,
            (std::map<std::string, std::string>{{"boot-kernel", "2028"}, {"squashfs", "2029"}}));
  EXPECT_FALSE(merge().published.changed);
}

TEST_F(Merge, WhatTheTargetHasStaysAsItIs) {
  make_stream("src", {{.version = "20260102"}});
  make_stream("dst", {{}});
  auto theirs = tree("src", daily);
  theirs["products"][product_of("ga-24.04")]["release_title"] = "their title";
  write_stream("src", theirs);
  auto ours = tree("dst", daily);
  ours["license"] = "ours";
  ours["products"][product_of("ga-24.04")]["release_title"] = "our title";
  write_stream("dst", ours);
  merge();
  const sstream::ProductTree united(tree("dst", daily), "dst");
  united.for_each_item([&](const sstream::Item& item) {
    EXPECT_EQ(item.tag("release_title"),
              item.pedigree().version == "20260101" ? "our title" : "their title");
  });
  EXPECT_EQ(tree("dst", daily).at("license"), "ours");
}

TEST_F(Merge, ProductsAndVersionsWithoutItemsComeAlong) {
  make_stream("src", {{}});
  auto theirs = tree("src", daily);
  theirs["products"]["com.example:empty"] = {{"arch", "amd64"}, {"versions", io::Json::object()}};
  theirs["products"]["com.example:bare"]["versions"]["1"] = {{"note", "no items"}};
  write_stream("src", theirs);
  merge();
  const auto products = tree("dst", daily).at("products");
  EXPECT_EQ(products.at("com.example:empty"), theirs["products"]["com.example:empty"]);
  EXPECT_TRUE(products.at("com.example:bare").at("versions").contains("1"));
  EXPECT_FALSE(merge().published.changed);
}

TEST_F(Merge, ASourceThatIsNoneIsAnError) {
  make_stream("dst", {{}});
  EXPECT_EQ(refusal().code(), Errc::not_found);
  base::make_directories(world.path("src"));
  EXPECT_EQ(refusal().code(), Errc::not_found);
  auto remote = options();
  remote.source = "http://127.0.0.1:1/";
  EXPECT_EQ(support::refused([&] { meph2::merge(remote, world.context); }).code(), Errc::usage);
  auto same = options();
  same.source = same.target;
  EXPECT_EQ(support::refused([&] { meph2::merge(same, world.context); }).code(), Errc::usage);
}

TEST_F(Merge, AMissingOrDamagedFileBringsNothingIn) {
  make_stream("src", {{}, {.subarch = "hwe-24.04"}});
  base::unlink_at(AT_FDCWD, world.path("src/noble/amd64/20260101/squashfs"));
  EXPECT_EQ(support::refused([&] { merge(); }).code(), Errc::not_found);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("dst/noble")));
  world.write("src/noble/amd64/20260101/squashfs", "squashfX");
  EXPECT_EQ(support::refused([&] { merge(); }).code(), Errc::untrusted);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("dst/noble")));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("dst/streams/v1")));
}

TEST_F(Merge, ASourceThatAnotherKeySignedIsRefused) {
  make_stream("src", {{}});
  const support::GpgHome home;
  auto by_key = options();
  by_key.trust.keyring = world.write("keyring.gpg", home.export_keys({home.make_key()}));
  EXPECT_EQ(support::refused([&] { meph2::merge(by_key, world.context); }).code(), Errc::untrusted);
}

TEST_F(Merge, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  make_stream("src", {{}, {.subarch = "hwe-24.04"}});
  make_stream("dst", {{.version = "20260102"}});
  auto dry = options();
  dry.publish.dry_run = true;
  const auto before = witness("dst");
  const auto planned = meph2::merge(dry, world.context);
  EXPECT_EQ(witness("dst"), before);
  expect_same_report(planned, merge());
}

}  // namespace

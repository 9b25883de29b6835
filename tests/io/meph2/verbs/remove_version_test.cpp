#include "meph2/verbs/remove_version.h"

#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::ElementsAre;
using verbs::daily;

class RemoveVersion : public verbs::Verb {
 protected:
  RemoveVersion() {
    make_stream("s", {{}, {.subarch = "hwe-24.04"}, {.version = "20260102", .kernel = "newer"}});
  }

  meph2::RemoveVersionResult remove(const std::string& version,
                                    const std::vector<std::string>& filters = {},
                                    bool dry_run = false) {
    meph2::RemoveVersionOptions options;
    options.target = world.path("s");
    options.version = version;
    options.filters = filters;
    options.publish = unsigned_options("remove-version");
    options.publish.create = false;
    options.publish.dry_run = dry_run;
    return meph2::remove_version(options, world.context);
  }

  io::Json product(const std::string& subarch = "ga-24.04") const {
    return tree("s", daily).at("products").at(product_of(subarch));
  }
};

TEST_F(RemoveVersion, TakesItOutAndMovesTheStampAndLeavesTheFiles) {
  const auto result = remove("20260101");
  EXPECT_THAT(result.products, ElementsAre(product_of("ga-24.04"), product_of("hwe-24.04")));
  EXPECT_FALSE(product().at("versions").contains("20260101"));
  EXPECT_TRUE(product("hwe-24.04").at("versions").empty());
  EXPECT_EQ(tree("s", daily).at("updated"), "Thu, 01 Jan 2026 00:00:00 +0000");
  EXPECT_TRUE(base::exists_at(AT_FDCWD, world.path("s/noble/amd64/20260101/squashfs")));
}

TEST_F(RemoveVersion, FiltersSeeInheritedTagsAndTheNameOfTheProduct) {
  EXPECT_THAT(remove("20260101", {"subarch=hwe-24.04"}).products,
              ElementsAre(product_of("hwe-24.04")));
  EXPECT_THAT(remove("20260101", {base::cat("product_name=", product_of("ga-24.04"))}).products,
              ElementsAre(product_of("ga-24.04")));
}

TEST_F(RemoveVersion, WhatNobodyHasIsAnErrorAndChangesNothing) {
  const auto before = base::read_file(world.path("s/streams/v1/index.json"));
  EXPECT_EQ(support::refused([&] { remove("20990101"); }).code(), Errc::not_found);
  EXPECT_EQ(support::refused([&] { remove("20260101", {"arch=s390x"}); }).code(), Errc::not_found);
  EXPECT_EQ(base::read_file(world.path("s/streams/v1/index.json")), before);
}

TEST_F(RemoveVersion, TheLabelOfTheNewestThatIsLeftGoesToTheProduct) {
  auto tree = this->tree("s", daily);
  auto& product = tree["products"][product_of("ga-24.04")];
  product["label"] = "beta1";
  product["versions"]["20260101"]["label"] = "release";
  write_stream("s", tree);
  remove("20260102");
  EXPECT_EQ(this->product().at("label"), "release");
  EXPECT_FALSE(this->product().at("versions").at("20260101").contains("label"));
}

TEST_F(RemoveVersion, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  const auto before = witness("s");
  const auto planned = remove("20260101", {}, true);
  EXPECT_EQ(witness("s"), before);
  const auto done = remove("20260101");
  EXPECT_EQ(planned.products, done.products);
  EXPECT_EQ(planned.published.streams, done.published.streams);
  EXPECT_EQ(planned.published.changed, done.published.changed);
}

}  // namespace

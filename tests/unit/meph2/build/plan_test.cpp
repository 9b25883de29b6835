#include "meph2/build/plan.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using meph2::BuildRequest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string fixtures = FIXTURES;

meph2::StreamConfig small_config() {
  return meph2::read_stream_config(fixtures + "/conf/small-v3.yaml");
}

meph2::DistroInfo ubuntu() {
  return {base::read_file(fixtures + "/distro-info/ubuntu.csv"), "ubuntu.csv"};
}

BuildRequest request(const std::string& arch, const std::string& release,
                     const std::string& version) {
  BuildRequest built;
  built.arch = arch;
  built.release = release;
  built.version_name = version;
  return built;
}

std::string error_of(const meph2::StreamConfig& config, const BuildRequest& wanted) {
  return support::refused(base::Errc::usage, [&] { plan_build(config, wanted, nullptr); });
}

/// The plan as the recorded --flat-json of the established meph2-build, without what only a build
/// knows.
Json flat(const meph2::BuildPlan& plan) {
  Json list = Json::array();
  for (const auto& product : plan.products) {
    for (const auto& [name, item] : product.items) {
      Json entry = product.tags;
      entry.update(item);
      entry["product_name"] = product.name;
      entry["version_name"] = plan.version_name;
      entry["item_name"] = name;
      list.push_back(std::move(entry));
    }
  }
  return list;
}

TEST(BuildPlan, EqualsWhatTheEstablishedToolRecorded) {
  auto recorded = Json::parse(base::read_file(fixtures + "/meph2/flat-noble-amd64.json"));
  for (auto& item : recorded) {
    item.erase("size");
    item.erase("sha256");
  }
  const auto info = ubuntu();
  const auto plan =
      plan_build(small_config(), request("amd64", "noble", "20240501"), info.find("noble"));
  EXPECT_EQ(flat(plan), recorded);
}

TEST(BuildPlan, TheShippedV3FileGivesTheSixProductsOfNoble) {
  const auto config = meph2::read_stream_config(base::cat(SOURCE_DIR, "/conf/meph-v3.yaml"));
  const auto info = ubuntu();
  const auto plan = plan_build(config, request("amd64", "noble", "123456"), info.find("noble"));
  std::vector<std::string> names;
  for (const auto& product : plan.products) {
    names.push_back(product.name);
  }
  const std::string pre = "com.ubuntu.maas.candidate:v3:boot:24.04:amd64:";
  EXPECT_THAT(names, ElementsAre(pre + "ga-24.04", pre + "ga-24.04-lowlatency", pre + "hwe-24.04",
                                 pre + "hwe-24.04-lowlatency", pre + "hwe-24.04-edge",
                                 pre + "hwe-24.04-lowlatency-edge"));
  EXPECT_THAT(plan.paths, Contains("noble/amd64/123456/hwe-24.04-edge/lowlatency/boot-kernel"));
  EXPECT_EQ(plan.paths.size(), 2U + 12U);
}

TEST(BuildPlan, ADebianImageHasItsOwnNames) {
  const auto config = meph2::read_stream_config(base::cat(SOURCE_DIR, "/conf/debian.yaml"));
  const meph2::DistroInfo info(base::read_file(fixtures + "/distro-info/debian.csv"), "debian.csv");
  const auto plan =
      plan_build(config, request("amd64", "bookworm", "20260101"), info.find("bookworm"));
  ASSERT_EQ(plan.products.size(), 3U);
  EXPECT_EQ(plan.products[1].name, "org.debian.maas.candidate:v3:boot:12:amd64:ga-12-cloud");
  EXPECT_EQ(
      plan.products[1].tags,
      Json::parse(
          R"({"arch":"amd64","kflavor":"cloud","krel":"bookworm","label":"candidate","os":"debian",
                "release":"bookworm","release_codename":"Bookworm","release_title":"12","subarch":"ga-12",
                "subarches":"generic,ga-12","support_eol":"2026-07-11","version":"12"})"));
}

TEST(BuildPlan, SuffixAndDtbAndHelperReachTheBuilder) {
  const auto plan = plan_build(small_config(), request("arm64", "noble", "20240501.1"), nullptr);
  const auto argv = builder_command(plan, "m2e", 0, "/src/noble.squashfs", ".");
  EXPECT_THAT(
      argv, ElementsAre(
                "m2e", "--no-gzip", "--kernel=none", "--arch=arm64",
                "--manifest=./noble/arm64/20240501.1/squashfs.manifest", "/src/noble.squashfs",
                "./noble/arm64/20240501.1/root-image.gz",
                "--krd-pack=linux-generic,./noble/arm64/20240501.1/ga-24.04/generic/boot-kernel,"
                "./noble/arm64/20240501.1/ga-24.04/generic/boot-initrd",
                "--krd-pack=linux-generic,"
                "./noble/arm64/20240501.1/xgene-uboot/generic/boot-kernel.xgene,"
                "./noble/arm64/20240501.1/xgene-uboot/generic/boot-initrd.xgene,"
                "--dtb=apm-mustang.dtb=./noble/arm64/20240501.1/xgene-uboot/generic/boot-dtb.xgene,"
                "--kihelper=kh-xgene"));
}

TEST(BuildPlan, TheBuildersFlagsKeepTheOrderOfTheContract) {
  auto config = small_config();
  config.proposed_packages = "configured";
  auto wanted = request("amd64", "xenial", "20240501");
  wanted.image_format = "root-tar";
  wanted.proposed = true;
  wanted.pre_purge_packages = "x,y";
  const auto argv = builder_command(plan_build(config, wanted, nullptr), "m2e", 3, "u", "o");
  const std::vector<std::string> head(argv.begin(), argv.begin() + 11);
  EXPECT_THAT(head, ElementsAre("m2e", "-vv", "--format=root-tar", "--proposed",
                                "--proposed-packages", "configured", "--pre-purge-packages", "x,y",
                                "--no-gzip", "--kernel=linux-generic", "--arch=amd64"));
}

TEST(BuildPlan, BothImageKindsShareTheSquashfsManifest) {
  auto config = small_config();
  config.root_image = true;
  const auto plan = plan_build(config, request("amd64", "jammy", "20240501"), nullptr);
  EXPECT_THAT(plan.paths, Contains("jammy/amd64/20240501/root-image.gz"));
  EXPECT_THAT(plan.paths, Contains("jammy/amd64/20240501/squashfs"));
  EXPECT_THAT(plan.paths, Contains("jammy/amd64/20240501/squashfs.manifest"));
  EXPECT_THAT(plan.paths, Not(Contains("jammy/amd64/20240501/root-image.manifest")));
  EXPECT_THAT(builder_command(plan, "m", 0, "u", "o"), Not(Contains("--no-gzip")));
}

TEST(BuildPlan, ARootImageAloneHasItsOwnManifest) {
  auto config = small_config();
  config.root_image = true;
  config.squashfs = false;
  const auto plan = plan_build(config, request("amd64", "jammy", "20240501"), nullptr);
  EXPECT_EQ(plan.manifest, "jammy/amd64/20240501/root-image.manifest");
  EXPECT_THAT(plan.paths, Not(Contains("jammy/amd64/20240501/squashfs")));
  EXPECT_THAT(builder_command(plan, "m", 0, "u", "o"), Contains("--no-squashfs"));
}

TEST(BuildPlan, TrustyGetsARootImageInAnyCase) {
  const auto config = meph2::read_stream_config(base::cat(SOURCE_DIR, "/conf/meph-v3.yaml"));
  const auto plan = plan_build(config, request("amd64", "trusty", "20190101"), nullptr);
  EXPECT_THAT(plan.paths, Contains("trusty/amd64/20190101/root-image.gz"));
  EXPECT_EQ(plan.builtin_kernel, "linux-generic");
}

TEST(BuildPlan, AReleaseThatDistroInfoDoesNotKnowStillHasATitle) {
  const auto plan = plan_build(small_config(), request("amd64", "noble", "1"), nullptr);
  EXPECT_EQ(plan.products[0].tags["release_title"], "24.04");
  EXPECT_FALSE(plan.products[0].tags.contains("support_eol"));
}

TEST(BuildPlan, WhatCannotBeIsAUsageError) {
  auto config = small_config();
  EXPECT_THAT(error_of(config, request("amd64", "nosuch", "1")),
              HasSubstr("it has noble, jammy, xenial"));
  EXPECT_THAT(error_of(config, request("s390x", "noble", "1")),
              HasSubstr("has kernels for amd64, arm64"));
  for (const auto* version : {"../1", "a/b", "", ".", "-1", ".hidden", "a:b", "a b"}) {
    EXPECT_THAT(error_of(config, request("amd64", "noble", version)),
                HasSubstr("expected a name like"))
        << version;
  }
  EXPECT_THAT(error_of(config, request("amd64", "noble", std::string(33, '1'))), HasSubstr("32"));
  auto twice = config;
  twice.releases[0].kernels.push_back(twice.releases[0].kernels[0]);
  EXPECT_THAT(error_of(twice, request("amd64", "noble", "1")),
              HasSubstr("small-v3.yaml:6:7: a second row for the product"));
  config.kname = "%(krel)s";
  config.releases[0].kernels[1].flavor = "generic";
  EXPECT_THAT(error_of(config, request("amd64", "noble", "1")),
              HasSubstr("a second kernel for noble/amd64/1/noble"));
}

}  // namespace

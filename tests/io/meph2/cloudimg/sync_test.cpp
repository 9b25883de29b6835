#include "meph2/cloudimg/sync.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/io/meph2/build/world.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using world::maas_file;
using world::make_source;
using world::sync_options;
using world::versions_of;
using world::World;

base::Error error_of(const meph2::CloudimgSyncOptions& options, const World& world) {
  return support::refused([&] { meph2::cloudimg_sync(options, world.context()); });
}

const std::vector<world::Offer> two_of_noble{{}, {.serial = "20240112"}};

TEST(CloudimgSync, BuildsTheNewestVersionOfEachReleaseAndArch) {
  const World world;
  const auto source = make_source(world, "ci",
                                  {{},
                                   {.serial = "20240112"},
                                   {.arch = "arm64"},
                                   {.release = "jammy", .version = "22.04", .serial = "20240101"},
                                   {.release = "jammy", .version = "22.04", .arch = "arm64"},
                                   {.release = "xenial", .version = "16.04"},
                                   {.release = "trusty", .version = "14.04"},
                                   {.arch = "ppc64el"}});
  auto options = sync_options(world, source);
  world.context();
  const auto result = meph2::cloudimg_sync(options, world.context());
  EXPECT_FALSE(result.failed());
  ASSERT_THAT(result.images, SizeIs(4));  // on 2026-01-01 xenial has ESM; ppc64el was not asked for
  EXPECT_THAT(
      versions_of(world.json("out/" + maas_file)),
      ElementsAre("16.04:amd64:ga-16.04/20240105", "22.04:amd64:ga-22.04/20240101",
                  "24.04:amd64:ga-24.04/20240112", "24.04:amd64:hwe-24.04-lowlatency-edge/20240112",
                  "24.04:arm64:ga-24.04/20240105", "24.04:arm64:xgene-uboot/20240105"));
  EXPECT_EQ(world.read("out/noble/amd64/20240112/squashfs"),
            "squashfs of noble-amd64.squashfs for amd64\n");
  EXPECT_THAT(world.logged(),
              HasSubstr("warning: arch 'arm64' is not supported for release 'jammy'"));
}

TEST(CloudimgSync, MaxAndFiltersChoose) {
  const World world;
  auto options = sync_options(
      world, make_source(world, "ci",
                         {{}, {.serial = "20240112"}, {.serial = "20240101"}, {.arch = "arm64"}}));
  options.max = 2;
  options.filters = {"release=noble", "arch=amd64"};
  const auto result = meph2::cloudimg_sync(options, world.context());
  ASSERT_THAT(result.images, SizeIs(2));
  EXPECT_EQ(result.images[0].name, "noble/amd64/20240112");
  EXPECT_EQ(result.images[1].name, "noble/amd64/20240105");
}

TEST(CloudimgSync, TheTarOfAVersionIsTakenOnlyWithoutASquashfs) {
  const World world;
  const auto source = make_source(world, "ci", two_of_noble);
  auto tree = world.json("ci/streams/v1/" + std::string(world::daily) + ".json");
  auto& versions = tree["products"]["com.ubuntu.cloud.daily:server:24.04:amd64"]["versions"];
  versions["20240112"]["items"].erase("squashfs");
  world.write("ci/streams/v1/" + std::string(world::daily) + ".json", io::to_text(tree));
  auto options = sync_options(world, source);
  options.max = 2;
  meph2::cloudimg_sync(options, world.context());
  EXPECT_EQ(world.read("out/noble/amd64/20240112/squashfs"),
            "squashfs of noble-amd64.tar.gz for amd64\n");
  EXPECT_EQ(world.read("out/noble/amd64/20240105/squashfs"),
            "squashfs of noble-amd64.squashfs for amd64\n");
}

TEST(CloudimgSync, ASecondRunChangesNothing) {
  World world;
  const auto options = sync_options(world, make_source(world, "ci", two_of_noble));
  meph2::cloudimg_sync(options, world.context());
  const auto before = world.tree("out");
  world.clock.advance(std::chrono::hours(24));
  world.use_builder("exit 9\n");
  const auto result = meph2::cloudimg_sync(options, world.context());
  EXPECT_FALSE(result.failed());
  EXPECT_FALSE(result.published->changed);
  EXPECT_TRUE(result.items.empty());
  EXPECT_EQ(world.tree("out"), before);
}

// The established tool compares one spelling of the product names, and builds daily sources again
// every time.
TEST(CloudimgSync, AnUpToDateTargetMeansNothingIsWritten) {
  for (const auto* stream : {"daily", "candidate", "released"}) {
    World world;
    auto options =
        sync_options(world, make_source(world, "ci", two_of_noble,
                                        base::cat("com.ubuntu.cloud:", stream, ":download")));
    options.output = world.path("published");
    meph2::cloudimg_sync(options, world.context());
    options.output = world.path("out");
    options.target = world.path("published/" + maas_file);
    world.use_builder("exit 9\n");
    const auto result = meph2::cloudimg_sync(options, world.context());
    EXPECT_THAT(result.images, IsEmpty()) << stream;
    EXPECT_FALSE(result.published) << stream;
    EXPECT_FALSE(world.exists("out")) << stream;
  }
}

TEST(CloudimgSync, TheTargetsMetadataIsCarriedOver) {
  World world;
  auto options = sync_options(
      world, make_source(world, "old", {{}, {.release = "jammy", .version = "22.04"}}));
  options.output = world.path("published");
  meph2::cloudimg_sync(options, world.context());
  auto published = world.json("published/" + maas_file);
  published["products"]["com.ubuntu.maas.candidate:v2:boot:24.04:amd64:hwe-x"] = {
      {"arch", "amd64"}};
  published["license"] = "kept";
  world.write("published/" + maas_file, io::to_text(published));
  options = sync_options(world, make_source(world, "new", two_of_noble));
  options.target = world.path("published");
  meph2::cloudimg_sync(options, world.context());
  const auto stream = world.json("out/" + maas_file);
  EXPECT_THAT(
      versions_of(stream),
      ElementsAre("22.04:amd64:ga-22.04/20240105", "24.04:amd64:ga-24.04/20240105",
                  "24.04:amd64:ga-24.04/20240112", "24.04:amd64:hwe-24.04-lowlatency-edge/20240105",
                  "24.04:amd64:hwe-24.04-lowlatency-edge/20240112"));
  EXPECT_EQ(stream["license"], "kept");
  EXPECT_FALSE(world.exists("out/noble/amd64/20240105")) << "metadata only";
  EXPECT_THAT(world.logged(),
              HasSubstr("warning: " + world.path("published/") + maas_file +
                        ": product com.ubuntu.maas.candidate:v2:boot:24.04:amd64:hwe-x is not of "
                        "candidate:v3: left out"));
}

TEST(CloudimgSync, WhatWasBuiltHereStaysAndWhatWasCarriedOverFollowsTheTarget) {
  World world;
  auto options = sync_options(
      world, make_source(world, "old", {{}, {.release = "jammy", .version = "22.04"}}));
  options.output = world.path("published");
  meph2::cloudimg_sync(options, world.context());
  options = sync_options(world, make_source(world, "new", two_of_noble));
  options.target = world.path("published");
  meph2::cloudimg_sync(options, world.context());
  auto published = world.json("published/" + maas_file);
  published["products"].erase("com.ubuntu.maas.candidate:v3:boot:22.04:amd64:ga-22.04");
  world.write("published/" + maas_file, io::to_text(published));

  const auto refused = error_of(options, world);
  EXPECT_EQ(refused.code(), base::Errc::refused);
  EXPECT_THAT(refused.what(),
              HasSubstr("--allow-drop com.ubuntu.maas.candidate:v3:boot:22.04:amd64:ga-22.04"));

  options.publish.rails.allow_drop = {"com.ubuntu.maas.candidate:v3:boot:22.04:amd64:ga-22.04"};
  meph2::cloudimg_sync(options, world.context());
  EXPECT_THAT(versions_of(world.json("out/" + maas_file)),
              ElementsAre("24.04:amd64:ga-24.04/20240105", "24.04:amd64:ga-24.04/20240112",
                          "24.04:amd64:hwe-24.04-lowlatency-edge/20240105",
                          "24.04:amd64:hwe-24.04-lowlatency-edge/20240112"));
}

// build-output.d and daily-stream.d of the README: at the first run neither is there.
TEST(CloudimgSync, ATargetDirectoryWithoutAStreamIsTakenAsEmpty) {
  const World world;
  auto options = sync_options(world, make_source(world, "ci", two_of_noble));
  options.target = world.path("daily-stream.d");
  EXPECT_THAT(meph2::cloudimg_sync(options, world.context()).images, SizeIs(1));
  EXPECT_THAT(world.logged(), HasSubstr("daily-stream.d: no stream there yet; taken as empty"));
  EXPECT_FALSE(world.exists("daily-stream.d"));
}

TEST(CloudimgSync, RebuildGivesAVersionAnotherName) {
  World world;
  auto options = sync_options(world, make_source(world, "ci", {{}}));
  options.output = world.path("published");
  meph2::cloudimg_sync(options, world.context());
  options.output = world.path("out");
  options.target = world.path("published");
  options.rebuild = {"20240105:20240105.1"};
  const auto result = meph2::cloudimg_sync(options, world.context());
  ASSERT_THAT(result.images, SizeIs(1));
  EXPECT_EQ(result.images[0].name, "noble/amd64/20240105.1");
  EXPECT_THAT(versions_of(world.json("out/" + maas_file)),
              testing::Contains("24.04:amd64:ga-24.04/20240105.1"));
  options.target = world.path("out");
  options.output = world.path("again");
  EXPECT_THAT(meph2::cloudimg_sync(options, world.context()).images, IsEmpty())
      << "rebuilt already";
  options.rebuild = {"20240105"};
  EXPECT_EQ(error_of(options, world).code(), base::Errc::usage);
}

TEST(CloudimgSync, AnImageThatCannotBeBuiltStopsOnlyItself) {
  const World world;
  const auto options =
      sync_options(world, make_source(world, "ci", {{}, {.release = "jammy", .version = "22.04"}}));
  setenv("FAKE_M2E_FAIL", "jammy*", 1);
  const auto result = meph2::cloudimg_sync(options, world.context());
  EXPECT_TRUE(result.failed());
  ASSERT_THAT(result.images, SizeIs(2));
  EXPECT_EQ(result.images[0].name, "jammy/amd64/20240105");
  EXPECT_THAT(result.images[0].error, HasSubstr("exit status 1"));
  EXPECT_EQ(result.images[1].error, "");
  EXPECT_THAT(versions_of(world.json("out/" + maas_file)),
              ElementsAre("24.04:amd64:ga-24.04/20240105",
                          "24.04:amd64:hwe-24.04-lowlatency-edge/20240105"));
  unsetenv("FAKE_M2E_FAIL");
  EXPECT_FALSE(meph2::cloudimg_sync(options, world.context()).failed()) << "the next run goes on";
  EXPECT_THAT(versions_of(world.json("out/" + maas_file)), SizeIs(3));
}

TEST(CloudimgSync, ItsReportNamesTheLogsOfAnImageThatCannotBeBuilt) {
  const World world;
  const auto options =
      sync_options(world, make_source(world, "ci", {{}, {.release = "jammy", .version = "22.04"}}));
  world.use_builder(base::cat("mkdir -p \"$M2E_LOGS\" && : >\"$M2E_LOGS/prepare.log\"\nexec '",
                              SOURCE_DIR, "/bin/fake-maas-cloudimg2eph2' \"$@\"\n"));
  setenv("FAKE_M2E_FAIL", "jammy*", 1);
  const auto result = meph2::cloudimg_sync(options, world.context());
  ASSERT_THAT(result.images, SizeIs(2));
  const auto logs = world.path("out/logs/jammy-amd64-20240105");
  EXPECT_EQ(result.images[0].logs, logs);
  EXPECT_THAT(result.images[0].error, HasSubstr("logs are in " + logs));
  EXPECT_EQ(result.images[1].logs, "");
  EXPECT_FALSE(world.exists("out/logs/noble-amd64-20240105"));
  unsetenv("FAKE_M2E_FAIL");
  EXPECT_EQ(meph2::cloudimg_sync(options, world.context()).images[0].logs, "");
  EXPECT_FALSE(world.exists("out/logs"));
}

TEST(CloudimgSync, WhereNoImageCanBeBuiltNothingIsPublished) {
  const World world;
  const auto options = sync_options(world, make_source(world, "ci", two_of_noble));
  setenv("FAKE_M2E_FAIL", "*", 1);
  const auto result = meph2::cloudimg_sync(options, world.context());
  EXPECT_TRUE(result.failed());
  EXPECT_FALSE(result.published);
  EXPECT_FALSE(world.exists("out/" + maas_file));
}

TEST(CloudimgSync, WhatAnotherToolLeftStopsOnlyItsImage) {
  const World world;
  world.write("out/jammy/amd64/20240105/squashfs", "half a fi");
  const auto options =
      sync_options(world, make_source(world, "ci", {{}, {.release = "jammy", .version = "22.04"}}));
  const auto result = meph2::cloudimg_sync(options, world.context());
  EXPECT_THAT(result.images[0].error,
              HasSubstr("jammy/amd64/20240105/squashfs: is there already with other content"));
  EXPECT_EQ(result.images[1].error, "");
  EXPECT_EQ(world.read("out/jammy/amd64/20240105/squashfs"), "half a fi");
}

TEST(CloudimgSync, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  const World world;
  auto options = sync_options(world, make_source(world, "ci", two_of_noble));
  options.publish.dry_run = true;
  const auto planned = meph2::cloudimg_sync(options, world.context());
  EXPECT_FALSE(world.exists("out"));
  EXPECT_TRUE(planned.published->changed);
  options.publish.dry_run = false;
  const auto done = meph2::cloudimg_sync(options, world.context());
  EXPECT_EQ(planned.items, done.items);
  ASSERT_THAT(planned.images, SizeIs(1));
  EXPECT_EQ(planned.images[0].name, done.images[0].name);
  EXPECT_EQ(planned.images[0].built, done.images[0].built);
  options.publish.dry_run = true;
  EXPECT_FALSE(meph2::cloudimg_sync(options, world.context()).published->changed);
}

TEST(CloudimgSync, AnIndexIsFollowedToTheStreamsThatAreKnown) {
  const World world;
  make_source(world, "ci", two_of_noble);
  make_source(world, "ci", {{.serial = "20250101"}}, "com.ubuntu.cloud:elsewhere:download");
  const auto entry = [](const std::string& content_id) {
    return Json{{"path", "streams/v1/" + content_id + ".json"}, {"format", "products:1.0"}};
  };
  world.write("ci/streams/v1/index.json",
              io::to_text(Json{{"format", "index:1.0"},
                               {"index",
                                {{world::daily, entry(world::daily)},
                                 {"com.ubuntu.cloud:elsewhere:download",
                                  entry("com.ubuntu.cloud:elsewhere:download")}}}}));
  const auto result = meph2::cloudimg_sync(sync_options(world, world.path("ci")), world.context());
  ASSERT_THAT(result.images, SizeIs(1));
  EXPECT_EQ(result.images[0].name, "noble/amd64/20240112");
}

TEST(CloudimgSync, AStreamThatIsNotOfCloudImagesIsRefused) {
  const World world;
  const auto error = error_of(
      sync_options(world,
                   make_source(world, "ci", two_of_noble, "com.ubuntu.cloud:elsewhere:download")),
      world);
  EXPECT_EQ(error.code(), base::Errc::usage);
  EXPECT_THAT(error.what(), HasSubstr("it offers com.ubuntu.cloud:elsewhere:download; expected"));
}

TEST(CloudimgSync, WhatIsAskedForWronglyWritesNothing) {
  const World world;
  auto options = sync_options(world, world.path("nosuch"));
  EXPECT_EQ(error_of(options, world).code(), base::Errc::not_found);
  options = sync_options(world, make_source(world, "ci", two_of_noble));
  options.target = world.path("nosuch/streams/v1/index.json");
  EXPECT_THAT(error_of(options, world).what(), HasSubstr("read target: "));
  options.filters = {"no operator"};
  EXPECT_EQ(error_of(options, world).code(), base::Errc::usage);
  EXPECT_FALSE(world.exists("out"));
}

TEST(CloudimgSync, DefaultArchesFollowTheMachine) {
  EXPECT_THAT(meph2::default_arches("x86_64"), ElementsAre("i386", "amd64", "armhf", "arm64"));
  EXPECT_THAT(meph2::default_arches("aarch64"), ElementsAre("arm64", "armhf"));
  EXPECT_THAT(meph2::default_arches("pdp11"), IsEmpty());
}

}  // namespace

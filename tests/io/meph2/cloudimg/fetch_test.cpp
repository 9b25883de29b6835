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
using testing::SizeIs;
using world::maas_file;
using world::make_source;
using world::products_file;
using world::sync_options;
using world::versions_of;
using world::World;

const std::string url = "http://ci.example.com/";
const std::string remote = "http://ci.example.com/streams/v1/com.ubuntu.cloud:daily:download.json";
const std::string image_url = url + "server/noble/20240105/noble-amd64.squashfs";
const std::string local_file = "ci/server/noble/20240105/noble-amd64.squashfs";
const std::vector<world::Offer> noble_and_jammy{{}, {.release = "jammy", .version = "22.04"}};

/// A builder that leaves a mark for each source that it is shown.
void watch_builder(const World& world) {
  world.use_builder(base::cat("for a; do case $a in *.squashfs) echo \"$a\" >>'",
                              world.path("shown"), "' ;; esac; done\nexec '", SOURCE_DIR,
                              "/bin/fake-maas-cloudimg2eph2' \"$@\"\n"));
}

void change_item(const World& world, const std::string& key, const Json& value) {
  auto tree = world.json(products_file);
  tree["products"]["com.ubuntu.cloud.daily:server:24.04:amd64"]["versions"]["20240105"]["items"]
      ["squashfs"][key] = value;
  world.write(products_file, io::to_text(tree));
}

/// Runs a sync of noble and jammy and expects that noble alone was stopped, before the builder saw
/// it.
void expect_only_noble_stopped(World& world, const std::string& source, const std::string& reason) {
  watch_builder(world);
  const auto result = meph2::cloudimg_sync(sync_options(world, source), world.context());
  ASSERT_THAT(result.images, SizeIs(2));
  EXPECT_EQ(result.images[0].error, "");
  EXPECT_EQ(result.images[1].name, "noble/amd64/20240105");
  EXPECT_THAT(result.images[1].error, HasSubstr(reason));
  EXPECT_TRUE(result.failed());
  EXPECT_THAT(world.read("shown"), testing::Not(HasSubstr("noble")));
  EXPECT_THAT(versions_of(world.json("out/" + maas_file)),
              ElementsAre("22.04:amd64:ga-22.04/20240105"));
}

TEST(CloudimgFetch, ALocalImageIsVerifiedBeforeTheBuilderSeesIt) {
  World world;
  const auto source = make_source(world, "ci", noble_and_jammy);
  auto text = world.read(local_file);
  text[0] = 'X';
  world.write(local_file, text);
  expect_only_noble_stopped(world, source, "sha256");
}

TEST(CloudimgFetch, AWrongSizeInTheSourceStopsTheImage) {
  World world;
  const auto source = make_source(world, "ci", noble_and_jammy);
  change_item(world, "size", 7);
  expect_only_noble_stopped(world, source, "must be 7");
}

TEST(CloudimgFetch, AllDigestsGivenCount) {
  World world;
  const auto source = make_source(world, "ci", noble_and_jammy);
  change_item(world, "md5", std::string(32, '0'));
  expect_only_noble_stopped(world, source, "md5");
}

TEST(CloudimgFetch, AMissingImageStopsOnlyItself) {
  World world;
  const auto source = make_source(world, "ci", noble_and_jammy);
  base::remove_tree(world.path("ci/server/noble"));
  expect_only_noble_stopped(world, source, "No such file");
}

TEST(CloudimgFetch, ARemoteImageKeepsItsNameAndLeavesTheCacheWhenItIsPublished) {
  World world;
  make_source(world, "ci", noble_and_jammy);
  serve(world, "ci", url);
  watch_builder(world);
  const auto result = meph2::cloudimg_sync(sync_options(world, remote), world.context());
  EXPECT_FALSE(result.failed());
  EXPECT_EQ(result.images[1].source, image_url);
  EXPECT_EQ(world.read("out/noble/amd64/20240105/squashfs"),
            "squashfs of noble-amd64.squashfs for amd64\n");
  EXPECT_THAT(world.read("shown"), HasSubstr("/.data/.sstream/cache/"));
  EXPECT_THAT(base::list_directory(world.path("out/.data/.sstream/cache")), IsEmpty());
}

TEST(CloudimgFetch, ARemoteImageWithOtherBytesIsNeverShownToTheBuilder) {
  World world;
  make_source(world, "ci", noble_and_jammy);
  serve(world, "ci", url);
  world.http.files[image_url][0] = 'X';
  expect_only_noble_stopped(world, remote, "wrong digest");
}

TEST(CloudimgFetch, AVersionThatVanishesBetweenListAndFetchStopsOnlyItself) {
  World world;
  make_source(world, "ci", noble_and_jammy);
  serve(world, "ci", url);
  world.http.files.erase(image_url);
  expect_only_noble_stopped(world, remote, "404");
}

TEST(CloudimgFetch, AnInterruptedDownloadIsResumedByTheNextRun) {
  World world;
  make_source(world, "ci", noble_and_jammy);
  serve(world, "ci", url);
  world.http.cut.insert(image_url);
  expect_only_noble_stopped(world, remote, "connection lost");
  EXPECT_FALSE(meph2::cloudimg_sync(sync_options(world, remote), world.context()).failed());
  EXPECT_EQ(world.http.delivered[image_url], world.http.files[image_url].size()) << "no byte twice";
}

TEST(CloudimgFetch, AnImageThatCouldNotBeBuiltStaysInTheCache) {
  World world;
  make_source(world, "ci", {{}});
  serve(world, "ci", url);
  setenv("FAKE_M2E_FAIL", "noble*", 1);
  EXPECT_TRUE(meph2::cloudimg_sync(sync_options(world, remote), world.context()).failed());
  unsetenv("FAKE_M2E_FAIL");
  EXPECT_FALSE(meph2::cloudimg_sync(sync_options(world, remote), world.context()).failed());
  EXPECT_EQ(world.http.delivered[image_url], world.http.files[image_url].size()) << "fetched once";
}

TEST(CloudimgFetch, ASpoiledCacheIsFetchedAgain) {
  World world;
  make_source(world, "ci", {{}});
  serve(world, "ci", url);
  const auto digest = io::digest_hex(io::Algorithm::sha256, world.http.files[image_url]);
  world.write("out/.data/.sstream/cache/" + digest + "/noble-amd64.squashfs", "other bytes");
  EXPECT_FALSE(meph2::cloudimg_sync(sync_options(world, remote), world.context()).failed());
}

TEST(CloudimgFetch, APathThatLeadsOutIsRefused) {
  World world;
  const auto source = make_source(world, "ci", {{}});
  change_item(world, "path", "../../etc/passwd");
  support::refused(base::Errc::untrusted,
                   [&] { meph2::cloudimg_sync(sync_options(world, source), world.context()); });
  EXPECT_FALSE(world.exists("out"));
}

}  // namespace

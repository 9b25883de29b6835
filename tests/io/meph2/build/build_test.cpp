#include <cstdlib>
#include <thread>

#include <sys/stat.h>

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
using world::build_options;
using world::maas_file;
using world::World;

base::Error error_of(const meph2::BuildImageOptions& options, const World& world) {
  return support::refused([&] { meph2::build_image(options, world.context()); });
}

TEST(BuildImage, PublishesAProductForEachKernel) {
  const World world;
  const auto result = meph2::build_image(build_options(world), world.context());
  EXPECT_TRUE(result.built);
  EXPECT_EQ(result.items.size(), 8U);
  const auto stream = world.json("out/" + maas_file);
  EXPECT_EQ(stream["datatype"], "image-downloads");
  EXPECT_EQ(stream["updated"], "Thu, 01 Jan 2026 12:00:00 +0000");
  const auto& product =
      stream["products"]["com.ubuntu.maas.candidate:v3:boot:24.04:amd64:hwe-24.04-lowlatency-edge"];
  EXPECT_EQ(product["label"], "candidate");
  EXPECT_EQ(product["release_title"], "24.04 LTS");
  EXPECT_EQ(product["support_eol"], "2029-05-31");
  const auto& items = product["versions"]["20240501"]["items"];
  EXPECT_EQ(items["boot-kernel"]["path"],
            "noble/amd64/20240501/hwe-24.04-edge/lowlatency/boot-kernel");
  EXPECT_EQ(items["boot-kernel"]["kpackage"], "linux-lowlatency-hwe-24.04-edge");
  const auto text = world.read("out/noble/amd64/20240501/squashfs");
  EXPECT_EQ(text, "squashfs of noble.squashfs for amd64\n");
  EXPECT_EQ(items["squashfs"]["size"], text.size());
  EXPECT_EQ(items["squashfs"]["sha256"], io::digest_hex(io::Algorithm::sha256, text));
  EXPECT_FALSE(world.exists("out/noble/amd64/20240501/root-image.gz"));
  EXPECT_EQ(world.json("out/streams/v1/index.json")["index"].size(), 1U);
}

TEST(BuildImage, ASecondBuildAddsToTheMetadata) {
  World world;
  auto options = build_options(world);
  meph2::build_image(options, world.context());
  options.request.version_name = "20240502";
  meph2::build_image(options, world.context());
  options.request.arch = "arm64";
  meph2::build_image(options, world.context());
  EXPECT_THAT(world::versions_of(world.json("out/" + maas_file)),
              ElementsAre("24.04:amd64:ga-24.04/20240501", "24.04:amd64:ga-24.04/20240502",
                          "24.04:amd64:hwe-24.04-lowlatency-edge/20240501",
                          "24.04:amd64:hwe-24.04-lowlatency-edge/20240502",
                          "24.04:arm64:ga-24.04/20240502", "24.04:arm64:xgene-uboot/20240502"));
}

TEST(BuildImage, WhatIsPublishedIsNotBuiltAgain) {
  World world;
  const auto options = build_options(world);
  meph2::build_image(options, world.context());
  const auto before = world.tree("out");
  world.clock.advance(std::chrono::hours(1));
  world.use_builder("echo called >&2; exit 9\n");
  const auto result = meph2::build_image(options, world.context());
  EXPECT_FALSE(result.built);
  EXPECT_FALSE(result.published.changed);
  EXPECT_TRUE(result.items.empty());
  EXPECT_EQ(world.tree("out"), before);
}

TEST(BuildImage, AMissingFileIsBuiltAgain) {
  const World world;
  const auto options = build_options(world);
  meph2::build_image(options, world.context());
  base::remove_tree(world.path("out/noble/amd64/20240501/ga-24.04"));
  EXPECT_TRUE(meph2::build_image(options, world.context()).built);
  EXPECT_TRUE(world.exists("out/noble/amd64/20240501/ga-24.04/generic/boot-kernel"));
}

// A crashed run of another tool leaves files that no metadata names: their names prove nothing.
TEST(BuildImage, FilesThatNoMetadataNamesAreNotTrusted) {
  const World world;
  for (const auto* name : {"squashfs", "squashfs.manifest", "ga-24.04/generic/boot-kernel",
                           "ga-24.04/generic/boot-initrd", "hwe-24.04-edge/lowlatency/boot-kernel",
                           "hwe-24.04-edge/lowlatency/boot-initrd"}) {
    world.write(std::string("out/noble/amd64/20240501/") + name, "half a fi");
  }
  const auto error = error_of(build_options(world), world);
  EXPECT_EQ(error.code(), base::Errc::conflict);
  EXPECT_THAT(error.what(), HasSubstr("is there already with other content"));
  EXPECT_FALSE(world.exists("out/" + maas_file));
}

TEST(BuildImage, WhatIsNotConfiguredWritesNothing) {
  const World world;
  auto options = build_options(world);
  options.request.arch = "s390x";
  auto error = error_of(options, world);
  EXPECT_EQ(error.code(), base::Errc::usage);
  EXPECT_THAT(error.what(), HasSubstr("has kernels for amd64, arm64"));
  options = build_options(world);
  options.request.release = "nosuch";
  error = error_of(options, world);
  EXPECT_EQ(error.code(), base::Errc::usage);
  EXPECT_THAT(error.what(), HasSubstr("it has noble, jammy, xenial"));
  options = build_options(world);
  options.request.image_format = "nosuch";
  EXPECT_EQ(error_of(options, world).code(), base::Errc::usage);
  EXPECT_FALSE(world.exists("out"));
}

TEST(BuildImage, TheConfigurationOfV2WithoutTheInstaller) {
  const World world;
  auto options = build_options(world);
  options.config = base::cat(SOURCE_DIR, "/conf/meph-v2.yaml");
  options.request.release = "xenial";
  options.enable_di = false;
  meph2::build_image(options, world.context());
  const auto stream = world.json("out/streams/v1/com.ubuntu.maas:daily:v2:download.json");
  const auto& product = stream["products"]["com.ubuntu.maas.daily:v2:boot:16.04:amd64:hwe-x"];
  const auto& items = product["versions"]["20240501"]["items"];
  EXPECT_EQ(items["boot-kernel"]["path"], "xenial/amd64/20240501/xenial/generic/boot-kernel");
  EXPECT_EQ(items["root-image.gz"]["path"], "xenial/amd64/20240501/root-image.gz");
  EXPECT_EQ(items["manifest"]["path"], "xenial/amd64/20240501/root-image.manifest");
}

TEST(BuildImage, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  const World world;
  auto options = build_options(world);
  options.publish.dry_run = true;
  const auto planned = meph2::build_image(options, world.context());
  EXPECT_TRUE(planned.published.changed);
  EXPECT_FALSE(world.exists("out"));
  options.publish.dry_run = false;
  EXPECT_EQ(meph2::build_image(options, world.context()).items, planned.items);
  options.publish.dry_run = true;
  const auto again = meph2::build_image(options, world.context());
  EXPECT_FALSE(again.published.changed);
  EXPECT_TRUE(again.items.empty());
}

TEST(BuildImage, AFailingBuilderLeavesTheStreamUnchanged) {
  const World world;
  auto options = build_options(world);
  meph2::build_image(options, world.context());
  const auto before = world.tree("out");
  options.request.version_name = "20240502";
  setenv("FAKE_M2E_FAIL", "noble*", 1);
  const auto error = error_of(options, world);
  EXPECT_EQ(error.code(), base::Errc::failed);
  EXPECT_THAT(error.what(),
              HasSubstr("build noble/amd64/20240502: fake-maas-cloudimg2eph2: exit status 1"));
  EXPECT_EQ(world.tree("out"), before);
  EXPECT_TRUE(base::list_directory(world.path("out/.data/.sstream/build")).empty());
}

TEST(BuildImage, OutputsThatAreMissingOrEmptyAreNamed) {
  const World world;
  world.use_builder("exit 0\n");
  EXPECT_THAT(error_of(build_options(world), world).what(),
              HasSubstr("the builder did not make noble/amd64/20240501/"));
  world.use_builder(
      base::cat("'", SOURCE_DIR,
                "/bin/fake-maas-cloudimg2eph2' \"$@\" && : >noble/amd64/20240501/squashfs\n"));
  EXPECT_THAT(error_of(build_options(world), world).what(),
              HasSubstr("noble/amd64/20240501/squashfs empty"));
  world.use_builder(base::cat("'", SOURCE_DIR,
                              "/bin/fake-maas-cloudimg2eph2' \"$@\" && cd noble/amd64/20240501 && ",
                              "ln -sf /etc/passwd squashfs\n"));
  EXPECT_NE(error_of(build_options(world), world).code(), base::Errc::internal)
      << "a link out of the build";
  EXPECT_FALSE(world.exists("out/" + maas_file));
}

TEST(BuildImage, TheBuilderIsToldWhereItMayKeepStages) {
  const World world;
  world.use_builder(base::cat("printf '%s %s\\n' \"$M2E_STAGES\" \"$M2E_NO_RESUME\" >>'",
                              world.path("seen"), "'; exec '", SOURCE_DIR,
                              "/bin/fake-maas-cloudimg2eph2' \"$@\"\n"));
  auto options = build_options(world);
  meph2::build_image(options, world.context());
  options.request.version_name = "20240502";
  options.builder.resume = false;
  meph2::build_image(options, world.context());
  const auto stages = world.path("out/.data/.sstream/stages");
  EXPECT_EQ(world.read("seen"), base::cat(stages, " \n", stages, " 1\n"));
}

/// A builder that logs, and then does what `end` says.
void use_logging_builder(const World& world, const std::string& end) {
  world.use_builder(R"(mkdir -p "$M2E_LOGS" && echo 'E: no' >"$M2E_LOGS/prepare.log")"
                    "\n" +
                    end);
}

TEST(BuildImage, ABuilderThatFailsLeavesItsLogsAndTheMessageNamesThem) {
  const World world;
  use_logging_builder(world, "exit 1\n");
  EXPECT_THAT(
      error_of(build_options(world), world).what(),
      HasSubstr("exit status 1; logs are in " + world.path("out/logs/noble-amd64-20240501")));
  EXPECT_EQ(world.read("out/logs/noble-amd64-20240501/prepare.log"), "E: no\n");
}

TEST(BuildImage, ACompleteBuildLeavesNoLogs) {
  const World world;
  world.write("out/logs/noble-amd64-20240501/kernel-x.log", "of an attempt before");
  world.write("out/logs/noble-amd64-20240401/prepare.log", "of another image");
  const auto complete = base::cat("exec '", SOURCE_DIR, "/bin/fake-maas-cloudimg2eph2' \"$@\"\n");
  use_logging_builder(world, complete);
  auto options = build_options(world);
  meph2::build_image(options, world.context());
  EXPECT_THAT(base::list_directory(world.path("out/logs")), ElementsAre("noble-amd64-20240401"));
  base::remove_tree(world.path("out/logs/noble-amd64-20240401"));
  options.request.version_name = "20240502";
  meph2::build_image(options, world.context());
  EXPECT_FALSE(world.exists("out/logs"));
}

TEST(BuildImage, ABuilderThatIsNotThereIsNamed) {
  const World world;
  setenv("MAAS_CLOUDIMG2EPH2", "no-such-builder", 1);
  EXPECT_THAT(error_of(build_options(world), world).what(), HasSubstr("no-such-builder"));
}

TEST(BuildImage, TheBuilderGetsWhatWasAskedFor) {
  const World world;
  world.use_builder(base::cat(
      "printf '%s\\n' \"$@\" \"jobs=$M2E_JOBS\" \"compression=$M2E_SQUASHFS_COMPRESSION\" "
      "\"size=$M2E_ROOT_IMAGE_SIZE\" >'",
      world.path("seen"), "'; exec '", SOURCE_DIR, "/bin/fake-maas-cloudimg2eph2' \"$@\"\n"));
  auto options = build_options(world);
  options.config = base::cat(SOURCE_DIR, "/conf/debian.yaml");
  options.request.release = "bookworm";
  options.request.proposed = true;
  options.request.proposed_packages = "a,b";
  options.builder.jobs = 3;
  options.builder.verbosity = 2;
  meph2::build_image(options, world.context());
  const auto seen = world.read("seen");
  EXPECT_THAT(
      seen,
      testing::StartsWith(
          "-vv\n--proposed\n--proposed-packages\na,b\n--no-gzip\n--kernel=none\n--arch=amd64\n"));
  EXPECT_THAT(seen, HasSubstr("--krd-pack=linux-image-rt-amd64,./bookworm/"));
  EXPECT_THAT(seen, HasSubstr("jobs=3\ncompression=zstd\nsize=\n"));
  options.config = base::cat(SOURCE_DIR, "/conf/meph-v2.yaml");
  options.request.release = "xenial";
  options.target = world.path("v2");
  options.enable_di = false;
  meph2::build_image(options, world.context());
  EXPECT_THAT(world.read("seen"), HasSubstr("size=1400M\n"));
  EXPECT_THAT(world.read("seen"), HasSubstr("--no-squashfs\n"));
}

// Parts of --krd-pack are separated by commas: a directory of that name must not end one.
TEST(BuildImage, ACommaInTheNameOfTheDirectoryIsHarmless) {
  const World world;
  auto options = build_options(world);
  options.target = world.path("a,b=c d/out");
  meph2::build_image(options, world.context());
  EXPECT_TRUE(world.exists("a,b=c d/out/noble/amd64/20240501/ga-24.04/generic/boot-kernel"));
}

TEST(BuildImage, FlatJsonHasTheItemsAsTheEstablishedToolWritesThem) {
  const World world;
  auto options = build_options(world);
  options.flat_json = world.path("flat.json");
  meph2::build_image(options, world.context());
  auto flat = world.json("flat.json");
  auto recorded = Json::parse(base::read_file(base::cat(FIXTURES, "/meph2/flat-noble-amd64.json")));
  ASSERT_EQ(flat.size(), recorded.size());
  for (std::size_t i = 0; i < flat.size(); ++i) {
    EXPECT_EQ(flat[i]["sha256"].get<std::string>().size(), 64U);
    for (const auto* key : {"sha256", "size"}) {
      flat[i].erase(key);
      recorded[i].erase(key);
    }
  }
  EXPECT_EQ(flat, recorded);
}

TEST(BuildImage, WhatAKilledBuildLeftIsRemoved) {
  const World world;
  world.write("out/.data/.sstream/build/abandoned/noble/squashfs", "half");
  world.write("out/.data/.sstream/build/abandoned/.lock", "pid 1");
  meph2::build_image(build_options(world), world.context());
  EXPECT_TRUE(base::list_directory(world.path("out/.data/.sstream/build")).empty());
}

TEST(BuildImage, AStopRequestEndsTheBuilder) {
  World world;
  const auto options = build_options(world);
  ASSERT_EQ(::mkfifo(world.path("started").c_str(), 0600), 0);
  world.use_builder(base::cat("echo >'", world.path("started"), "'\nexec sleep 60\n"));
  std::thread later([&] {
    base::read_file(world.path("started"));  // until the builder runs
    world.stop.request_stop();
  });
  EXPECT_THROW(meph2::build_image(options, world.context()), base::Stopped);
  later.join();
  EXPECT_FALSE(world.exists("out/" + maas_file));
  EXPECT_TRUE(base::list_directory(world.path("out/.data/.sstream/build")).empty());
}

TEST(BuildImage, SignsWhenToldTo) {
  const support::GpgHome home;
  const auto key = home.make_key();
  const World world;
  world.write("keyring.gpg", home.export_keys({key}));
  auto options = build_options(world);
  options.publish.sign = true;
  options.publish.key = key;
  meph2::build_image(options, world.context());
  const auto verdict =
      support::run_gpgv(world.path("keyring.gpg"), world.read("out/streams/v1/index.sjson"));
  EXPECT_EQ(verdict.status, 0) << verdict.error;
}

}  // namespace

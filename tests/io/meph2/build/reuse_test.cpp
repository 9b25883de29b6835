#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "meph2/verbs/remove_version.h"
#include "tests/io/meph2/build/reporting_world.h"

namespace {

using io::Json;
using testing::HasSubstr;
using testing::Not;
using world::build_options;
using world::ga;
using world::ReportingWorld;

TEST(BuildOrigins, IsWrittenAfterThePublication) {
  const ReportingWorld world;
  const auto result = world.build("20240501");
  ASSERT_EQ(result.stages.size(), 1U);
  EXPECT_EQ(result.stages[0].label, "prepared layer");
  const auto records = world.json(world::records_file);
  EXPECT_EQ(records.at("builds").size(), 2U);
  const auto& entry = records.at("builds").at(ga).at("20240501");
  const auto& inputs = entry.at("inputs");
  EXPECT_EQ(inputs.at("source").at("origin"), world.path("noble.squashfs"));
  EXPECT_EQ(inputs.at("source").at("sha256"),
            io::digest_hex(io::Algorithm::sha256, world.read("noble.squashfs")));
  EXPECT_EQ(inputs.at("builder"), "fake 1.0");
  EXPECT_EQ(inputs.at("revision"), 3);
  EXPECT_EQ(inputs.at("archives").at(0).at("suite"), "noble");
  EXPECT_EQ(inputs.at("packages").at("linux-generic"), "6.8.0-31");
  EXPECT_EQ(inputs.at("settings").at("kernel").at("package"), "linux-generic");
  EXPECT_EQ(inputs.at("settings").at("squashfs"), true);
  EXPECT_EQ(entry.at("digest").get<std::string>().size(), 32U);
}

TEST(BuildOrigins, WithoutAReportNothingIsRecorded) {
  const ReportingWorld world;
  ASSERT_EQ(std::remove(world.path("report.json").c_str()), 0);
  world.build("20240501");
  EXPECT_FALSE(world.exists(world::records_file));
  EXPECT_THAT(world.logged(), Not(HasSubstr("warning")));
}

TEST(BuildOrigins, AReportThatIsNoneIsAWarningAndTheImageIsPublished) {
  const ReportingWorld world;
  world.write("report.json", R"({"builder": 7})");
  EXPECT_TRUE(world.build("20240501").published.changed);
  EXPECT_FALSE(world.exists(world::records_file));
  EXPECT_THAT(world.logged(), HasSubstr("warning: the builder's report: builder is of type "
                                        "integer, must be a string; nothing is recorded"));
}

TEST(BuildOrigins, ForgetsWhatIsNotPublishedAnyMore) {
  const ReportingWorld world;
  world.build("20240501");
  meph2::RemoveVersionOptions options;
  options.target = world.path("out");
  options.version = "20240501";
  options.publish.action = "remove-version";
  options.publish.sign = false;
  meph2::remove_version(options, world.context());
  world.build("20240502");
  const auto versions = world.json(world::records_file).at("builds").at(ga);
  EXPECT_EQ(versions.size(), 1U);
  EXPECT_TRUE(versions.contains("20240502"));
}

/// What is published of a version, paths without its name.
std::map<std::string, std::string> content_of(const ReportingWorld& world,
                                              const std::string& version) {
  std::map<std::string, std::string> files;
  for (const auto& [path, text] : world.tree("out/noble/amd64/" + version)) {
    files[path] = world.read("out/noble/amd64/" + version + "/" + path);
  }
  return files;
}

TEST(BuildReuse, WhatWouldBeMadeFromTheSameIsTakenFromTheOldVersion) {
  const ReportingWorld world;
  EXPECT_TRUE(world.build("20240501").built);
  const auto result = world.build("20240502");
  EXPECT_FALSE(result.built);
  EXPECT_EQ(result.reused, "20240501");
  EXPECT_TRUE(result.published.changed);
  EXPECT_EQ(world.runs(), 1U);
  EXPECT_EQ(content_of(world, "20240502"), content_of(world, "20240501"));
  EXPECT_EQ(content_of(world, "20240502").size(), 6U);
  EXPECT_THAT(world.logged(), HasSubstr("noble/amd64/20240502: made from the same as 20240501: "
                                        "its files are taken"));
  const auto product = world.json("out/" + world::maas_file)["products"][ga]["versions"];
  EXPECT_EQ(product["20240502"]["items"]["squashfs"]["sha256"],
            product["20240501"]["items"]["squashfs"]["sha256"]);
  EXPECT_EQ(product["20240502"]["items"]["squashfs"]["path"], "noble/amd64/20240502/squashfs");
  EXPECT_EQ(world.build("20240503").reused, "20240502");  // the record goes along
}

TEST(BuildReuse, TheSourceIsKnownByItsContentNotByItsName) {
  const ReportingWorld world;
  world.build("20240501");
  auto options = build_options(world);
  options.request.version_name = "20240502";
  world.write("elsewhere/other.squashfs", world.read("noble.squashfs"));
  options.source = world.path("elsewhere/other.squashfs");
  EXPECT_EQ(meph2::build_image(options, world.context()).reused, "20240501");
}

/// Something is otherwise than at the first build: the second one is a build.
struct Change {
  std::string name;
  std::function<void(ReportingWorld& world, meph2::BuildImageOptions& options)> make;
};

void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

void damage(const std::string& path, const std::string& text) {
  base::open_file(path, O_WRONLY | O_TRUNC).write(text);
}

class BuildReuseNot : public testing::TestWithParam<Change> {};

TEST_P(BuildReuseNot, After) {
  ReportingWorld world;
  ASSERT_TRUE(world.build("20240501").built);
  auto options = build_options(world);
  options.request.version_name = "20240502";
  GetParam().make(world, options);
  const auto result = meph2::build_image(options, world.context());
  unsetenv("M2E_ADD_PACKAGES");
  EXPECT_TRUE(result.built);
  EXPECT_EQ(result.reused, "");
  EXPECT_EQ(world.runs(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Change, BuildReuseNot,
    testing::Values(
        Change{"Rebuild", [](auto&, auto& options) { options.reuse = false; }},
        Change{"Source", [](auto& world, auto&) { world.write("noble.squashfs", "an other"); }},
        Change{"Url",
               [](auto&, auto& options) { options.source = "http://images.test/noble.squashfs"; }},
        Change{"Flag", [](auto&, auto& options) { options.request.proposed = true; }},
        Change{"Purged",
               [](auto&, auto& options) { options.request.pre_purge_packages = "snapd"; }},
        Change{"Environment", [](auto&, auto&) { setenv("M2E_ADD_PACKAGES", "htop", 1); }},
        Change{"Kernel",
               [](auto& world, auto& options) {
                 world.write("small.yaml",
                             base::replace_all(base::read_file(options.config),
                                               "generic, linux-generic,", "generic, linux-other,"));
                 options.config = world.path("small.yaml");
               }},
        Change{"Compression",
               [](auto& world, auto& options) {
                 world.write("small.yaml", base::cat(base::read_file(options.config),
                                                     "\nsquashfs_compression: zstd\n"));
                 options.config = world.path("small.yaml");
               }},
        Change{"BuilderVersion", [](auto& world, auto&) { world.write_builder("fake 2.0"); }},
        Change{"BuilderProgram",
               [](auto& world, auto&) {
                 world.use_builder("# another\n" + world.read("builder").substr(10));
               }},
        Change{"Archive", [](auto& world, auto&) { world.set_archive("of tomorrow"); }},
        Change{"ArchiveGone", [](auto& world, auto&) { world.http.files.clear(); }},
        Change{"BrokenRecord",
               [](auto& world, auto&) { world.write(world::records_file, "{\"version\": 1"); }},
        Change{"ForgedRecord",
               [](auto& world, auto&) {
                 world.write(world::records_file, base::replace_all(world.read(world::records_file),
                                                                    "fake 1.0", "fake 0.9"));
               }},
        Change{"FileGone",
               [](auto& world, auto&) {
                 std::remove(world.path("out/noble/amd64/20240501/squashfs").c_str());
               }},
        Change{"FileDamaged",
               [](auto& world, auto&) {
                 const auto path = std::string("out/noble/amd64/20240501/squashfs");
                 damage(world.path(path), std::string(world.read(path).size(), '?'));
               }}),
    [](const auto& given) { return given.param.name; });

TEST(BuildReuse, ARecordWithoutArchivesOrSourceIsNeverEnough) {
  for (const auto* key : {"archives", "source", "builder"}) {
    const ReportingWorld world;
    auto report = world.report();
    report.erase(key);
    world.write_report(report);
    world.build("20240501");
    EXPECT_TRUE(world.build("20240502").built) << key;
  }
}

TEST(BuildReuse, ABrokenRecordIsAWarningAndIsWrittenAnew) {
  const ReportingWorld world;
  world.build("20240501");
  world.write(world::records_file, "no JSON");
  EXPECT_TRUE(world.build("20240502").built);
  EXPECT_THAT(world.logged(), HasSubstr("builds.json: "));
  EXPECT_THAT(world.logged(), HasSubstr("; it counts as empty"));
  EXPECT_EQ(world.build("20240503").reused, "20240502");
}

/// A source stream that offers the image of 20240105 again, under another serial.
void offer_again(const ReportingWorld& world, const std::string& stream) {
  const std::string file = stream.substr(world.path("").size());
  auto json = world.json(file);
  auto& versions = json.at("products").begin()->at("versions");
  versions = Json{{"20240106", versions.at("20240105")}};
  world.write(file, io::to_text(json));
}

meph2::CloudimgSyncOptions cloudimg_options(const ReportingWorld& world,
                                            const std::string& stream) {
  auto options = world::sync_options(world, stream);
  options.arches = {"amd64"};
  return options;
}

class CloudimgReuse : public testing::Test {
 protected:
  CloudimgReuse() {
    auto report = world_.report();
    const auto image = world_.read("source/server/noble/20240105/noble-amd64.squashfs");
    report["source"]["sha256"] = io::digest_hex(io::Algorithm::sha256, image);
    report["source"]["size"] = image.size();
    world_.write_report(report);
    meph2::cloudimg_sync(options_, world_.context());
  }

  ReportingWorld world_;
  std::string stream_ = world::make_source(world_, "source", {{}});
  meph2::CloudimgSyncOptions options_ = cloudimg_options(world_, stream_);
};

TEST_F(CloudimgReuse, AnImageThatIsOfferedAgainIsNotBuiltAgain) {
  offer_again(world_, stream_);
  const auto result = meph2::cloudimg_sync(options_, world_.context());
  ASSERT_EQ(result.images.size(), 1U);
  EXPECT_EQ(result.images[0].error, "");
  EXPECT_FALSE(result.images[0].built);
  EXPECT_EQ(result.images[0].reused, "20240105");
  EXPECT_EQ(result.items.size(), 8U);
  EXPECT_EQ(world_.runs(), 1U);
  EXPECT_EQ(content_of(world_, "20240106"), content_of(world_, "20240105"));
  EXPECT_TRUE(world_.json(world::records_file)["builds"][ga].contains("20240106"));
}

TEST_F(CloudimgReuse, WhatLiesUnderOneOfTheNamesStopsOnlyThatImage) {
  offer_again(world_, stream_);
  world_.write("out/noble/amd64/20240106/squashfs", "left by another tool");
  const auto result = meph2::cloudimg_sync(options_, world_.context());
  ASSERT_EQ(result.images.size(), 1U);
  EXPECT_THAT(result.images[0].error, HasSubstr("is there already with other content"));
  EXPECT_EQ(world_.read("out/noble/amd64/20240106/squashfs"), "left by another tool");
}

TEST_F(CloudimgReuse, ButIsWhereThatIsAskedFor) {
  options_.rebuild = {"20240105:20240105.1"};
  meph2::cloudimg_sync(options_, world_.context());
  EXPECT_EQ(world_.runs(), 2U);
  options_.rebuild.clear();
  options_.reuse = false;
  offer_again(world_, stream_);
  meph2::cloudimg_sync(options_, world_.context());
  EXPECT_EQ(world_.runs(), 3U);
}

TEST(BuildReuse, ADryRunAsksNobody) {
  const ReportingWorld world;
  world.build("20240501");
  const auto before = world.tree("out");
  auto options = build_options(world);
  options.request.version_name = "20240502";
  options.publish.dry_run = true;
  EXPECT_FALSE(meph2::build_image(options, world.context()).built);
  EXPECT_EQ(world.http.asked, 0U);
  EXPECT_EQ(world.tree("out"), before);
}

}  // namespace

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "tests/io/meph2/build/reporting_world.h"
#include "tests/support/gpg_home.h"
#include "tests/support/refused.h"

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using world::build_options;
using world::ga;
using world::ReportingWorld;

std::vector<std::string> why(const ReportingWorld& world, const meph2::BuildImageOptions& options,
                             const std::string& product = ga) {
  return meph2::lines_of(meph2::why_image(options, product, world.context()));
}

TEST(WhyImage, NothingChangedIsSaidSo) {
  const ReportingWorld world;
  world.build("20240501");
  const auto before = world.tree("out");
  const auto records = world.read(world::records_file);
  EXPECT_THAT(why(world, build_options(world)),
              ElementsAre("nothing changed: 20240501 was built from the same"));
  EXPECT_EQ(world.runs(), 1U);
  EXPECT_EQ(world.tree("out"), before);
  EXPECT_EQ(world.read(world::records_file), records);
}

TEST(WhyImage, TheNewestVersionIsCompared) {
  const ReportingWorld world;
  world.build("20240501");
  world.write("noble.squashfs", "of May 2nd");
  world.write_report(world.report());
  auto options = build_options(world);  // writes the first source again
  world.write("noble.squashfs", "of May 2nd");
  options.request.version_name = "20240502";
  meph2::build_image(options, world.context());
  EXPECT_THAT(why(world, options),
              ElementsAre("nothing changed: 20240502 was built from the same"));
}

TEST(WhyImage, NamesEachKindOfChange) {
  ReportingWorld world;
  world.build("20240501");
  auto options = build_options(world);
  world.write("noble.squashfs", "another image");
  world.write("small.yaml", base::replace_all(base::read_file(options.config),
                                              "generic, linux-generic,", "generic, linux-new,"));
  options.config = world.path("small.yaml");
  options.request.proposed = true;
  world.write_builder("fake 2.0");
  world.set_archive("the archive of tomorrow");
  const auto sha256 = [](const std::string& text) {
    return io::digest_hex(io::Algorithm::sha256, text);
  };
  EXPECT_THAT(
      why(world, options),
      ElementsAre(base::cat("source: ", sha256("an image"), " -> ", sha256("another image")),
                  "setting flags: (none) -> --proposed",
                  "setting kernel.package: linux-generic -> linux-new",
                  "builder: fake 1.0 -> fake 2.0",
                  "archive http://archive.test/ubuntu/ noble: changed"));
  const auto json = json_of(meph2::why_image(options, ga, world.context()));
  EXPECT_EQ(json.at("version"), "20240501");
  EXPECT_EQ(json.at("changes").size(), 5U);
  EXPECT_EQ(json.at("changes").at(2), (io::Json{{"what", "setting kernel.package"},
                                                {"before", "linux-generic"},
                                                {"after", "linux-new"},
                                                {"known", true}}));
}

/// A world whose published root has the key of the archive in it.
class WhyPackages : public testing::Test {
 protected:
  WhyPackages() {
    offer("6.8.0-31");
    world_.write_report(world_.report());
    world_.build("20240501");
  }

  /// What the archive has of linux-generic from now on, signed.
  void offer(const std::string& version) {
    const auto packages = base::cat(
        "Package: linux-generic\nVersion: ", version,
        "\nArchitecture: amd64\nFilename: pool/l.deb\nSize: 1\nSHA256: ", std::string(64, '1'),
        "\n\nPackage: other\nVersion: 9\nArchitecture: amd64\nFilename: pool/o.deb\nSize: 1\n"
        "SHA256: ",
        std::string(64, '2'), "\n");
    const auto release =
        base::cat("Suite: noble\nCodename: noble\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n ",
                  io::digest_hex(io::Algorithm::sha256, packages), " ", packages.size(),
                  " main/binary-amd64/Packages\n");
    world_.http.files[world::reported_archive + "dists/noble/main/binary-amd64/Packages"] =
        packages;
    world_.set_archive(home_.gpg({"--faked-system-time", "20251231T000000", "--local-user", key_,
                                  "--clearsign", "--output", "-"},
                                 release));
  }

  /// In the place of the published root, which the stand-in made of a line of text.
  void publish_root(const std::string& keyring) {
    world_.write("root/usr/share/keyrings/archive.gpg", keyring);
    world_.write("root/usr/share/keyrings/readme.gpg", "no keys");
    base::Command command;
    command.argv = {"mksquashfs", world_.path("root"), world_.path("s"), "-quiet", "-no-progress"};
    command.capture_output = true;
    base::run_checked(command);
    world_.write("out/noble/amd64/20240501/squashfs", world_.read("s"));
  }

  support::GpgHome home_;
  std::string key_ = home_.make_key();
  ReportingWorld world_;
};

TEST_F(WhyPackages, ThatTheArchiveHasInOtherVersionsAreNamed) {
  publish_root(home_.export_keys({key_}));
  EXPECT_THAT(why(world_, build_options(world_)),
              ElementsAre("nothing changed: 20240501 was built from the same"));
  offer("6.8.0-32");
  EXPECT_THAT(why(world_, build_options(world_)),
              ElementsAre("archive http://archive.test/ubuntu/ noble: changed",
                          "package linux-generic: 6.8.0-31 -> 6.8.0-32"));
}

TEST_F(WhyPackages, AreNotBelievedWithoutAKeyOfThePublishedRoot) {
  publish_root(home_.export_keys({home_.make_key({"Other <o@example.com>"})}));
  offer("6.8.0-32");
  EXPECT_THAT(why(world_, build_options(world_)),
              ElementsAre("archive http://archive.test/ubuntu/ noble: changed"));
  EXPECT_THAT(world_.logged(), HasSubstr("which packages changed cannot be told"));
}

TEST(WhyImage, WhatCannotBeToldIsSaidToBeUnknown) {
  ReportingWorld world;
  world.build("20240501");
  auto options = build_options(world);
  options.source = "http://images.test/noble.squashfs";
  world.http.files.clear();
  const auto lines = why(world, options);
  EXPECT_THAT(lines, Contains("source: unknown: until it is fetched"));
  EXPECT_THAT(lines,
              Contains(AllOf(StartsWith("archive http://archive.test/ubuntu/ noble: unknown"),
                             HasSubstr("is not there"))));
}

TEST(WhyImage, AUrlOfAnotherSizeIsAnotherSource) {
  ReportingWorld world;
  world.build("20240501");
  auto options = build_options(world);
  options.source = "http://images.test/noble.squashfs";
  world.http.files[options.source] = "another size";
  EXPECT_THAT(why(world, options), ElementsAre("source: 8 bytes -> 12 bytes"));
}

TEST(WhyImage, ABuilderThatIsNotThereIsUnknown) {
  const ReportingWorld world;
  world.build("20240501");
  setenv("MAAS_CLOUDIMG2EPH2", "/nosuch/builder", 1);
  EXPECT_THAT(why(world, build_options(world)), ElementsAre(StartsWith("builder: unknown: ")));
}

TEST(WhyImage, WithoutARecordNothingIsClaimed) {
  const ReportingWorld world;
  EXPECT_THAT(why(world, build_options(world)), ElementsAre(ga + " is not published yet"));
  EXPECT_FALSE(world.exists("out"));
  world.build("20240501");
  world.write(world::records_file, "broken");
  EXPECT_THAT(why(world, build_options(world)),
              ElementsAre("nothing is known of what 20240501 was built from"));
}

TEST(WhyImage, OfAProductThatThereIsNotIsAnError) {
  const ReportingWorld world;
  auto options = build_options(world);
  EXPECT_THAT(
      support::refused(base::Errc::not_found, [&] { why(world, options, "com.example:nosuch"); }),
      HasSubstr("product com.example:nosuch: neither does a build of "
                "noble/amd64 make it, nor does"));
  world.build("20240501");
  options.request.arch = "arm64";
  EXPECT_THAT(why(world, options),
              ElementsAre("product: this build does not make it; 20240501 stays as it is"));
}

}  // namespace

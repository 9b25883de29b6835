#include "meph2/verbs/promote.h"

#include <sys/stat.h>
#include <unistd.h>

#include "meph2/supply/channel.h"
#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::HasSubstr;
using verbs::Image;
using verbs::released;

class Promote : public verbs::Verb {
 protected:
  Promote() {
    make_stream("daily",
                {{}, {.subarch = "hwe-24.04"}, {.version = "20260102", .kernel = "newer"}});
  }

  meph2::PromoteOptions options(const std::string& version = "20260101") const {
    meph2::PromoteOptions options;
    options.source = world.path("daily");
    options.target = world.path("release");
    options.version = version;
    options.publish = unsigned_options("promote");
    return options;
  }

  meph2::PromoteResult promote(const meph2::PromoteOptions& options) {
    return meph2::promote(options, world.context);
  }

  base::Error refusal(const meph2::PromoteOptions& options) {
    const auto before = witness("release");
    auto failure = support::refused([&] { promote(options); });
    EXPECT_EQ(witness("release"), before);
    return failure;
  }
};

TEST_F(Promote, DropsTheChannelSetsTheLabelAndBringsTheFilesIn) {
  const auto result = promote(options());
  EXPECT_TRUE(result.published.changed);
  const auto tree = this->tree("release", released);
  EXPECT_EQ(tree.at("datatype"), "image-downloads");
  ASSERT_EQ(tree.at("products").size(), 2U);
  const auto& product = tree.at("products").at(product_of("ga-24.04", ""));
  EXPECT_EQ(product.at("label"), "release");
  EXPECT_EQ(product.at("priority"), 7);
  EXPECT_EQ(product.at("notes"), io::Json({"typed", 1, true}));
  ASSERT_EQ(product.at("versions").size(), 1U);
  EXPECT_FALSE(product.at("versions").at("20260101").contains("label"));
  EXPECT_EQ(base::read_file(world.path("release/noble/amd64/20260101/ga-24.04/boot-kernel")),
            "kernel");
  EXPECT_EQ(result.published.file_count, 3U);  // the squashfs that two products share is one
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release/noble/amd64/20260102")));
}

TEST(WithoutChannel, TakesAwayDailyAndCandidateOnly) {
  using meph2::without_channel;
  EXPECT_EQ(without_channel("com.ubuntu.maas:candidate:v3:download"), released);
  EXPECT_EQ(without_channel("com.ubuntu.maas:daily:v3:download"), released);
  EXPECT_EQ(without_channel("com.ubuntu.maas.candidate:v3:boot:24.04:amd64:ga-24.04"),
            "com.ubuntu.maas:v3:boot:24.04:amd64:ga-24.04");
  EXPECT_EQ(without_channel("com.ubuntu.maas.daily:1:grub-efi:uefi:arm64"),
            "com.ubuntu.maas:1:grub-efi:uefi:arm64");
  EXPECT_EQ(without_channel("com.ubuntu.maas:stable:v3:download"),
            "com.ubuntu.maas:stable:v3:download");
  EXPECT_EQ(without_channel("com.example:candidates:x"), "com.example:candidates:x");
  EXPECT_EQ(without_channel("candidate"), "candidate");
}

TEST_F(Promote, AgainChangesNothing) {
  promote(options());
  const auto before = witness("release");
  world.clock.advance(std::chrono::hours(24));
  const auto result = promote(options());
  EXPECT_FALSE(result.published.changed);
  EXPECT_TRUE(result.items.empty());
  EXPECT_EQ(result.published.files_reused, 3U);  // they were read again
  EXPECT_EQ(witness("release"), before);
}

TEST_F(Promote, AFileThatWasLostSinceIsBroughtBackAndADamagedOneIsNamed) {
  promote(options());
  const auto file = world.path("release/noble/amd64/20260101/squashfs");
  base::unlink_at(AT_FDCWD, file);
  EXPECT_EQ(promote(options()).published.file_count, 1U);
  EXPECT_EQ(base::read_file(file), "squashfs");
  base::unlink_at(AT_FDCWD, file);
  world.write("release/noble/amd64/20260101/squashfs", "squashfX");
  const auto failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr(sha256("squashfX")));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("squashfs")));
}

TEST_F(Promote, OtherContentIsAConflictThatNamesBothDigests) {
  promote(options());
  make_stream("daily", {{.kernel = "rebuilt"}});
  const auto failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr(product_of("ga-24.04", "") + "/20260101/boot-kernel"));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("kernel")));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("rebuilt")));
}

TEST_F(Promote, WhatTheTargetHasBesideIsAConflict) {
  promote(options());
  auto tree = this->tree("release", released);
  auto& items = tree["products"][product_of("ga-24.04", "")]["versions"]["20260101"]["items"];
  items["extra"] = item("release", "noble/amd64/20260101/extra", "extra", "extra");
  write_stream("release", tree);
  const auto failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr("extra"));
}

TEST_F(Promote, WhatAnInterruptedToolLeftOutIsCompleted) {
  promote(options());
  auto tree = this->tree("release", released);
  tree["products"][product_of("ga-24.04", "")]["versions"]["20260101"]["items"].erase("squashfs");
  write_stream("release", tree);
  EXPECT_TRUE(promote(options()).published.changed);
  EXPECT_TRUE(
      this->tree("release",
                 released)["products"][product_of("ga-24.04", "")]["versions"]["20260101"]["items"]
          .contains("squashfs"));
}

TEST_F(Promote, HalfAVersionIsRefusedWhole) {
  const auto missing = world.path("daily/noble/amd64/20260101/hwe-24.04/boot-kernel");
  base::unlink_at(AT_FDCWD, missing);
  auto failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::not_found);
  EXPECT_THAT(failure.what(), HasSubstr("hwe-24.04/boot-kernel"));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release/noble")));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release/streams/v1")));
  // Another file has that very content; still the source is not whole.
  world.write("daily/noble/amd64/20260101/hwe-24.04/boot-kernel", "kerneX");
  failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::untrusted);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release/noble")));
  world.write("daily/noble/amd64/20260101/hwe-24.04/boot-kernel", "kernel");
  world.write("daily/noble/amd64/20260101/squashfs", "squashfX");
  EXPECT_EQ(refusal(options()).code(), Errc::untrusted);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release/noble")));
  EXPECT_TRUE(base::list_directory(world.path("release/.data/.sstream/txn")).empty());
}

TEST_F(Promote, ADryRunFailsWhereTheRunWould) {
  base::unlink_at(AT_FDCWD, world.path("daily/noble/amd64/20260101/squashfs"));
  auto dry = options();
  dry.publish.dry_run = true;
  EXPECT_EQ(refusal(dry).code(), Errc::not_found);
  world.write("daily/noble/amd64/20260101/squashfs", "squashfX");
  EXPECT_EQ(refusal(dry).code(), Errc::untrusted);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release")));
}

TEST_F(Promote, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  promote(options("20260102"));
  auto dry = options();
  dry.publish.dry_run = true;
  const auto before = witness("release");
  const auto planned = promote(dry);
  EXPECT_EQ(witness("release"), before);
  expect_same_report(planned, promote(options()));
  EXPECT_EQ(planned.items.size(), 4U);
  expect_same_report(promote(dry), promote(options()));  // nothing to do, both
}

TEST_F(Promote, FiltersThatCutAVersionInHalfNeedPermission) {
  auto half = options();
  half.filters = {"ftype=squashfs"};
  EXPECT_EQ(refusal(half).code(), Errc::refused);
  half.allow_partial = true;
  promote(half);
  const auto items = [&] {
    return tree("release",
                released)["products"][product_of("ga-24.04", "")]["versions"]["20260101"]["items"];
  };
  EXPECT_EQ(items().size(), 1U);
  half.filters = {"ftype=boot-kernel"};
  promote(half);
  EXPECT_EQ(items().size(), 2U);  // what was there stays
}

TEST_F(Promote, FiltersChooseProducts) {
  auto one = options();
  one.filters = {"subarch=hwe-24.04"};
  promote(one);
  EXPECT_EQ(tree("release", released)["products"].size(), 1U);
  one.filters = {"subarch=nosuch"};
  EXPECT_EQ(refusal(one).code(), Errc::not_found);
}

TEST_F(Promote, AVersionThatNobodyHasIsAnError) {
  const auto failure = refusal(options("20990101"));
  EXPECT_EQ(failure.code(), Errc::not_found);
  EXPECT_THAT(failure.what(), HasSubstr("20990101"));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("release")));
}

TEST_F(Promote, TheLabelOfTheNewestVersionIsOnTheProduct) {
  auto beta = options("20260102");
  beta.label = "beta1";
  promote(options());
  promote(beta);
  auto product = tree("release", released)["products"][product_of("ga-24.04", "")];
  EXPECT_EQ(product.at("label"), "beta1");
  EXPECT_EQ(product.at("versions").at("20260101").at("label"), "release");
  beta.label = "release";
  EXPECT_TRUE(promote(beta).published.changed);  // the label alone
  product = tree("release", released)["products"][product_of("ga-24.04", "")];
  EXPECT_EQ(product.at("label"), "release");
  EXPECT_FALSE(product.at("versions").at("20260101").contains("label"));
}

TEST_F(Promote, AnotherLabelIsTakenWithAWordAndNonsenseIsNot) {
  auto other = options();
  other.label = "relase";
  promote(other);
  EXPECT_THAT(world.lines, testing::Contains(HasSubstr("is 'release' meant?")));
  for (const char* label : {"", "a b", "x/y", "\n"}) {
    other.label = label;
    EXPECT_EQ(refusal(other).code(), Errc::usage) << label;
  }
}

TEST_F(Promote, RefusesWhatIsYoungerThanTheSoak) {
  auto soaked = options("20260101");
  soaked.soak = std::chrono::hours(48);
  make_stream("daily", {});
  auto tree = this->tree("daily", verbs::daily);
  tree["updated"] = "Thu, 01 Jan 2026 06:00:00 +0000";
  write_stream("daily", tree);
  world.clock.set(base::Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)));
  EXPECT_EQ(refusal(soaked).code(), Errc::refused);
  world.clock.set(base::Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 3)) +
                  std::chrono::hours(6));
  EXPECT_TRUE(promote(soaked).published.changed);  // unchanged for 48 hours, it was there by then
}

TEST_F(Promote, WithoutCopyingTheFilesMustBeThereAndRight) {
  auto bare = options();
  bare.skip_file_copy = true;
  EXPECT_EQ(refusal(bare).code(), Errc::not_found);
  base::make_directories(world.path("release"));
  ASSERT_EQ(::symlink(world.path("daily/noble").c_str(), world.path("release/noble").c_str()), 0);
  EXPECT_TRUE(promote(bare).published.changed);
  EXPECT_EQ(tree("release", released)["products"].size(), 2U);
  base::unlink_at(AT_FDCWD, world.path("daily/noble/amd64/20260101/squashfs"));
  world.write("daily/noble/amd64/20260101/squashfs", "squashfX");
  EXPECT_EQ(refusal(bare).code(), Errc::conflict);
}

ino_t inode(const std::string& path) {
  struct stat status {};

  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_ino;
}

TEST_F(Promote, NeverLinksAFileOfAnotherOwnerOrMode) {
  const auto kernel = std::string("/noble/amd64/20260101/ga-24.04/boot-kernel");
  const auto squashfs = std::string("/noble/amd64/20260101/squashfs");
  const auto other = std::string("/noble/amd64/20260101/hwe-24.04/boot-kernel");
  if (::geteuid() != 0) {
    GTEST_SKIP() << "giving a file to another owner needs root";
  }
  ASSERT_EQ(::chown(world.path("daily" + kernel).c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chmod(world.path("daily" + squashfs).c_str(), 0600), 0);
  promote(options());
  EXPECT_NE(inode(world.path("daily" + kernel)), inode(world.path("release" + kernel)));
  EXPECT_NE(inode(world.path("daily" + squashfs)), inode(world.path("release" + squashfs)));

  struct stat status {};

  ASSERT_EQ(::stat(world.path("daily" + squashfs).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);  // the source stays as it was
  EXPECT_EQ(base::read_file(world.path("release" + other)), "kernel");
}

TEST_F(Promote, LinksItsOwnFilesWhereBlocksCannotBeShared) {
  auto source = base::open_file(world.path("daily/noble/amd64/20260101/squashfs"), O_RDONLY);
  const auto method = base::clone_file(source, AT_FDCWD, world.path("probe"), true);
  if (method == base::CopyMethod::reflink) {
    GTEST_SKIP() << "this file system shares blocks: no links are made";
  }
  ASSERT_EQ(::chmod(world.path("daily/noble/amd64/20260101/squashfs").c_str(), 0644), 0);
  promote(options());
  EXPECT_EQ(inode(world.path("daily/noble/amd64/20260101/squashfs")),
            inode(world.path("release/noble/amd64/20260101/squashfs")));
}

TEST_F(Promote, TheHistoryGetsLabelSourceAndDigests) {
  const auto result = promote(options());
  const auto& details = result.details;
  EXPECT_EQ(details.at("label"), "release");
  EXPECT_EQ(details.at("source"), world.path("daily"));
  EXPECT_EQ(details.at("source_updated").at(verbs::daily), "Mon, 01 Dec 2025 00:00:00 +0000");
  EXPECT_EQ(
      details.at("source_digest").at(verbs::daily),
      sha256(base::read_file(world.path(base::cat("daily/streams/v1/", verbs::daily, ".json")))));
  EXPECT_EQ(details.at("promoted").size(), 2U);
  EXPECT_EQ(details.at("promoted").at(product_of("hwe-24.04", "") + "/20260101").at("squashfs"),
            sha256("squashfs"));
}

TEST_F(Promote, TheSourceMayNotBeTheTarget) {
  auto same = options();
  same.target = same.source + "/./";
  EXPECT_EQ(support::refused([&] { promote(same); }).code(), Errc::usage);
}

TEST_F(Promote, TwoChannelsOfOneSourceGoToOneStream) {
  make_stream("daily", {{.subarch = "ga-24.04"}}, "com.ubuntu.maas:candidate:v3:download",
              ".candidate");
  promote(options());
  EXPECT_EQ(tree("release", released)["products"].size(), 2U);
  make_stream("daily", {{.kernel = "other"}}, "com.ubuntu.maas:candidate:v3:download",
              ".candidate");
  EXPECT_EQ(refusal(options()).code(), Errc::conflict);
}

TEST_F(Promote, OneProductOfTwoNamesIsAConflict) {
  make_stream("daily", {{}}, verbs::daily, ".candidate");
  EXPECT_EQ(refusal(options()).code(), Errc::conflict);
}

TEST_F(Promote, AnUnsafePathIsRefused) {
  auto tree = this->tree("daily", verbs::daily);
  tree["products"][product_of("ga-24.04")]["versions"]["20260101"]["items"]["squashfs"]["path"] =
      "noble/../../x";
  write_stream("daily", tree);
  EXPECT_EQ(refusal(options()).code(), Errc::untrusted);
}

TEST_F(Promote, ASourceThatAnotherKeySignedIsRefused) {
  const support::GpgHome home;
  const auto key = home.make_key();
  const auto other = home.make_key({"Other <other@example.com>"});
  auto by_key = options();
  by_key.trust.keyring = world.write("keyring.gpg", home.export_keys({key}));
  EXPECT_EQ(refusal(by_key).code(), Errc::untrusted);  // not signed at all
  const auto sign = [&](const std::string& with) {
    const io::Signer signer(with, world.clock);
    for (const auto& name : {std::string("index"), std::string(verbs::daily)}) {
      const auto file = base::cat("daily/streams/v1/", name, ".json");
      world.write(file + ".gpg", signer.sign_detached(base::read_file(world.path(file))));
    }
  };
  sign(other);
  EXPECT_EQ(refusal(by_key).code(), Errc::untrusted);
  sign(key);
  EXPECT_TRUE(promote(by_key).published.changed);
}

TEST_F(Promote, WhatSurvivesInTheTargetIsEverything) {
  make_stream("release", {{.version = "20251201", .kernel = "old"}}, released, "");
  auto tree = this->tree("release", released);
  tree["license"] = "http://example.com/license";
  tree["products"][product_of("ga-24.04", "")]["versions"]["20251201"]["items"]["boot-kernel"]
      ["depends"] = {{"on", {1, 2.5, nullptr}}};
  tree["products"]["com.example:other"] = {{"versions", io::Json::object()}, {"count", 3}};
  write_stream("release", tree);
  promote(options());
  const auto after = this->tree("release", released);
  EXPECT_EQ(after.at("license"), tree.at("license"));
  EXPECT_EQ(after.at("products").at("com.example:other"), tree["products"]["com.example:other"]);
  EXPECT_EQ(after.at("products").at(product_of("ga-24.04", "")).at("versions").at("20251201"),
            tree["products"][product_of("ga-24.04", "")]["versions"]["20251201"]);
}

}  // namespace

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/io/meph2/verify/world.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using meph2::Remedy;
using support::GpgHome;
using support::Versions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Verify : public support::VerifyWorld {};

TEST_F(Verify, AGoodStreamIsClean) {
  publish("repo", files(3));
  const auto result = verify(of("repo"));
  EXPECT_THAT(problems(result), IsEmpty());
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.files, 6U);
  EXPECT_EQ(result.data.read, 6U);
  EXPECT_EQ(result.documents, 2U);
  EXPECT_FALSE(result.signatures_checked);
}

TEST_F(Verify, NamesEveryProblemAndNotOnlyTheFirst) {
  publish("repo", files(4));
  flip("repo/noble/20260101/squashfs");
  flip("repo/noble/20260102/manifest");
  remove("repo/noble/20260103/squashfs");
  world.write("repo/noble/20260104/squashfs", "short");
  const auto result = verify(of("repo"));
  EXPECT_THAT(problems(result),
              ElementsAre("damaged noble/20260101/squashfs", "damaged noble/20260102/manifest",
                          "damaged noble/20260104/squashfs", "missing noble/20260103/squashfs"));
  EXPECT_FALSE(result.clean());
  EXPECT_FALSE(result.untrusted);
}

TEST_F(Verify, WithoutDataOnlySizesAreLookedAt) {
  publish("repo", files(2));
  flip("repo/noble/20260101/squashfs");
  remove("repo/noble/20260102/squashfs");
  auto asked = of("repo");
  asked.data.read = false;
  EXPECT_THAT(problems(verify(asked)), ElementsAre("missing noble/20260102/squashfs"));
}

TEST_F(Verify, ALinkOrADirectoryIsNoDataFile) {
  publish("repo", files(1));
  remove("repo/noble/20260101/squashfs");
  ASSERT_EQ(::symlink("manifest", world.path("repo/noble/20260101/squashfs").c_str()), 0);
  EXPECT_THAT(problems(verify(of("repo"))), ElementsAre("damaged noble/20260101/squashfs"));
}

TEST_F(Verify, WhatNobodyTouchedIsNotReadAgain) {
  publish("repo", files(3));
  EXPECT_EQ(verify(of("repo")).data.read, 6U);
  auto second = verify(of("repo"));
  EXPECT_EQ(second.data.read, 0U);
  EXPECT_EQ(second.data.untouched, 6U);
  // Its mtime is as before, its ctime is not.
  flip("repo/noble/20260102/squashfs");
  second = verify(of("repo"));
  EXPECT_EQ(second.data.untouched, 5U);
  EXPECT_THAT(problems(second), ElementsAre("damaged noble/20260102/squashfs"));
}

TEST_F(Verify, ParanoidTrustsNothing) {
  publish("repo", files(3));
  verify(of("repo"));
  auto asked = of("repo");
  asked.data.paranoid = true;
  EXPECT_EQ(verify(asked).data.read, 6U);
}

TEST_F(Verify, AFileTouchedAMomentAgoIsNotRemembered) {
  publish("repo", files(1));
  world.clock.set(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  EXPECT_EQ(verify(of("repo")).data.read, 2U);
  EXPECT_EQ(verify(of("repo")).data.read, 2U);
}

TEST_F(Verify, ABudgetGoesRoundThroughAllFiles) {
  publish("repo", files(5));
  auto asked = of("repo");
  asked.data.jobs = 1;
  asked.data.budget = 45;  // two files, of about 23 bytes
  std::size_t read = 0;
  for (int night = 0; night < 5; ++night) {
    const auto result = verify(asked);
    EXPECT_EQ(result.data.read, 2U);
    EXPECT_EQ(result.data.left, 8U);
    read += result.data.read;
    world.clock.advance(std::chrono::hours(24));
  }
  EXPECT_EQ(read, 10U);
  // All were read once: now the first come again, and rot in them shows.
  asked.data.budget.reset();
  EXPECT_EQ(verify(asked).data.untouched, 10U);
  asked.data.budget = 45;
  EXPECT_EQ(verify(asked).data.read, 2U);
}

TEST_F(Verify, ItemsThatPromiseDifferentThingsOfOneFile) {
  publish("repo", files(1));
  auto json = world.read_json("repo/streams/v1/" + std::string(support::janitor_content) + ".json");
  auto& items = json["products"][support::janitor_product]["versions"]["20260101"]["items"];
  items["other"] = items["item0"];
  items["other"]["sha256"] = std::string(64, 'a');
  world.write("repo/streams/v1/" + std::string(support::janitor_content) + ".json",
              io::to_text(json));
  const auto result = verify(of("repo"));
  EXPECT_THAT(problems(result), testing::Contains("metadata noble/20260101/squashfs"));
}

TEST_F(Verify, TheIndexIsComparedWithItsDocuments) {
  publish("repo", files(1));
  auto index = world.read_json("repo/streams/v1/index.json");
  auto& entry = index["index"][support::janitor_content];
  entry["products"] = {"other:product"};
  entry["datatype"] = "image-ids";
  world.write("repo/streams/v1/index.json", io::to_text(index));
  const auto result = verify(of("repo"));
  ASSERT_EQ(result.problems.size(), 2U);
  EXPECT_THAT(result.problems[0].problem.reason, HasSubstr("datatype is image-ids"));
  EXPECT_THAT(result.problems[1].problem.reason, HasSubstr("names 1 products, not the 1 of"));
}

TEST_F(Verify, ABrokenDocumentIsNamedAndTheOthersAreRead) {
  publish("repo", files(1));
  publish("repo", {{"20260101", {"jammy/root"}}}, {}, "com.example:other:download");
  world.write("repo/streams/v1/" + std::string(support::janitor_content) + ".json", "{\"format\":");
  remove("repo/jammy/root");
  const auto result = verify(of("repo"));
  EXPECT_TRUE(result.untrusted);
  EXPECT_THAT(problems(result), testing::Contains("missing jammy/root"));
  EXPECT_THAT(problems(result),
              testing::Contains(base::cat("metadata ", support::janitor_content, ".json")));
}

TEST_F(Verify, WithoutAStreamThereIsNothingToVerify) {
  world.write("repo/x", "");
  support::refused(Errc::not_found, [&] { verify(of("repo")); });
}

/// Somebody who has seen enough after so many files.
class Impatient : public base::NullProgress {
 public:
  void add_bytes(std::uint64_t) override {
    if (++seen == 3) {
      stop.request_stop();
    }
  }

  std::stop_source stop;
  int seen = 0;
};

TEST_F(Verify, AStopLosesNothingThatWasVerified) {
  publish("repo", files(3));
  Impatient progress;
  const sstream::Context stopped{world.clock, world.log, progress, world.network,
                                 progress.stop.get_token()};
  auto asked = of("repo");
  asked.data.jobs = 1;
  EXPECT_THROW(meph2::verify(asked, stopped), base::Stopped);
  const auto again = verify(asked);
  EXPECT_EQ(again.data.untouched, 3U);
  EXPECT_EQ(again.data.read, 3U);
}

class VerifySigned : public Verify {
 protected:
  VerifySigned() {
    key = home.make_key();
    options.sign = true;
    publish("repo", files(2));
  }

  std::string document(const std::string& suffix) const {
    return base::cat("repo/streams/v1/", support::janitor_content, suffix);
  }

  GpgHome home;
  std::string key;
};

TEST_F(VerifySigned, TheKeyThatSignsTheRepositoryIsUsed) {
  const auto result = verify(of("repo"));
  EXPECT_TRUE(result.clean());
  EXPECT_TRUE(result.signatures_checked);
}

TEST_F(VerifySigned, AKeyringIsUsedWhereOneIsNamed) {
  const auto other = home.make_key({.user_id = "Other <other@example.com>"});
  auto asked = of("repo");
  asked.trust.keyring = world.write("keyring.gpg", home.export_keys({key}));
  EXPECT_TRUE(verify(asked).clean());
  asked.trust.keyring = world.write("other.gpg", home.export_keys({other}));
  const auto result = verify(asked);
  EXPECT_TRUE(result.untrusted);
  EXPECT_EQ(result.problems.size(), 2U);
}

TEST_F(VerifySigned, WithoutTheKeySomebodyHasToSayWhatToDo) {
  const GpgHome empty;
  std::string what;
  what = support::refused(Errc::usage, [&] { verify(of("repo")); });
  EXPECT_THAT(what, HasSubstr("--keyring"));
  auto asked = of("repo");
  asked.trust.no_verify = true;
  EXPECT_FALSE(verify(asked).signatures_checked);
}

TEST_F(VerifySigned, OneBadSignatureIsNamedAndVouchedForByTheOther) {
  flip(document(".json.gpg"));
  const auto result = verify(of("repo"));
  EXPECT_FALSE(result.untrusted);
  EXPECT_THAT(problems(result),
              ElementsAre(base::cat("signature ", support::janitor_content, ".json")));
}

TEST_F(VerifySigned, AnEditedDocumentIsNotBelieved) {
  auto text = base::read_file(world.path(document(".json")));
  text = base::replace_all(std::move(text), "20260101", "20260109");
  world.write(document(".json"), text);
  const auto result = verify(of("repo"));
  EXPECT_TRUE(result.untrusted);
  EXPECT_THAT(result.problems.front().problem.reason, HasSubstr("bad signature"));
}

TEST_F(VerifySigned, SignaturesWithoutADocumentAreNamed) {
  world.write("repo/streams/v1/gone.sjson", "x");
  EXPECT_THAT(problems(verify(of("repo"))), ElementsAre("signature gone.sjson"));
}

TEST_F(VerifySigned, UnsignedWhereAKeyringIsDemandedIsNotTrusted) {
  options.sign = false;
  publish("plain", files(1));
  auto asked = of("plain");
  asked.trust.keyring = world.write("keyring.gpg", home.export_keys({key}));
  EXPECT_TRUE(verify(asked).untrusted);
}

}  // namespace

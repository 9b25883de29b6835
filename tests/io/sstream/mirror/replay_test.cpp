// The rows G1-G14 of docs/format.md 7.4 that concern what is read.
#include "meph2/verbs/insert.h"
#include "tests/io/sstream/mirror/mirror_fixture.h"
#include "tests/support/gpg_home.h"

namespace {

using base::Errc;
using testing::HasSubstr;

constexpr const char* first_date = "Mon, 01 Dec 2025 00:00:00 +0000";
constexpr const char* second_date = "Tue, 02 Dec 2025 00:00:00 +0000";

class Replay : public MirrorTest {
 protected:
  void expect_refused(const std::string& says, Errc code = Errc::untrusted) {
    const auto before = witness("m");
    const auto failure = support::refused([&] { mirror(); });
    EXPECT_EQ(failure.code(), code) << failure.what();
    EXPECT_THAT(failure.what(), HasSubstr(says));
    EXPECT_EQ(witness("m"), before);
  }

  std::string facts() {
    const auto sources = world.path("m/.data/.sstream/sources");
    return base::cat(sources, "/", base::list_directory(sources).at(0), "/source.json");
  }
};

TEST_F(Replay, AnOlderStateIsRefusedAndTakenOnRequestG1) {
  redate(second_date);
  mirror();
  redate(first_date, "old");
  expect_refused("older than what was seen of it, Tue, 02 Dec 2025");
  auto chosen = options();
  chosen.trust.allow_rollback = true;
  EXPECT_TRUE(mirror(chosen).published.changed);
  EXPECT_TRUE(mirror().unchanged);  // once is enough
}

TEST_F(Replay, OneDateHasOneContentG2) {
  mirror();
  auto document = world.read_json(std::string("src") + index);
  document["more"] = 1;
  world.write(std::string("src") + index, io::to_text(document));
  expect_refused("has other content");
}

/// The established tools change products files so.
TEST_F(Replay, AProductsFileMayChangeWithoutANewDateWhenTheIndexHasOne) {
  mirror();
  redate(first_date, "changed");
  auto document = world.read_json(std::string("src") + index);
  document["updated"] = second_date;
  world.write(std::string("src") + index, io::to_text(document));
  EXPECT_TRUE(mirror().published.changed);
  redate(first_date, "changed again");
  document["index"] = world.read_json(std::string("src") + index).at("index");
  world.write(std::string("src") + index, io::to_text(document));
  expect_refused("has other content");
}

TEST_F(Replay, AFrozenSourceIsToldWhereThatIsAskedForG3) {
  auto chosen = options();
  chosen.trust.max_age = std::chrono::hours(24 * 40);
  mirror(chosen);
  world.clock.advance(std::chrono::hours(24 * 11));
  const auto failure = support::refused([&] { mirror(chosen); });
  EXPECT_EQ(failure.code(), Errc::failed);
  EXPECT_THAT(failure.what(), HasSubstr("older than --max-age allows"));
  EXPECT_TRUE(mirror().unchanged);
}

TEST_F(Replay, ADateOfTomorrowIsRefusedAndNotRememberedG4) {
  mirror();
  redate("Sat, 03 Jan 2026 00:00:00 +0000", "ahead");
  expect_refused("more than a day ahead");
  redate(second_date, "sane");
  EXPECT_TRUE(mirror().published.changed);
}

TEST_F(Replay, AProductsFileOlderThanTheOneSeenIsRefusedG5) {
  redate(second_date);
  mirror();
  redate(first_date, "old");
  auto document = world.read_json(std::string("src") + index);
  document["updated"] = "Wed, 03 Dec 2025 00:00:00 +0000";
  world.write(std::string("src") + index, io::to_text(document));
  expect_refused("older than what was seen of it");
}

TEST_F(Replay, AContentUnderAnotherNameIsRefusedG6G14) {
  mirror();
  auto tree = this->tree("src", verbs::daily);
  tree["content_id"] = verbs::released;
  tree["updated"] = second_date;
  world.write(std::string("src") + products, io::to_text(tree));
  expect_refused("content id is");
}

TEST_F(Replay, ADateThatIsGoneIsRefusedD22) {
  mirror();
  auto document = world.read_json(std::string("src") + index);
  document.erase("updated");
  world.write(std::string("src") + index, io::to_text(document));
  expect_refused("bears no date");
}

TEST_F(Replay, WhatIsKnownAndCannotBeReadIsNotForgottenG7) {
  mirror();
  const auto good = base::read_file(facts());
  for (const auto& bad : {std::string(), good.substr(0, good.size() / 2), std::string("[]")}) {
    base::replace_file(facts(), bad);
    expect_refused("begins anew", Errc::failed);
  }
  const auto name = facts();
  base::unlink_at(AT_FDCWD, name);
  expect_refused("is missing", Errc::failed);
  auto chosen = options();
  chosen.trust.allow_rollback = true;
  mirror(chosen);
  EXPECT_TRUE(base::exists_at(AT_FDCWD, name));
  EXPECT_TRUE(mirror().unchanged);
}

/// What the mirror keeps as proof is looked at before it stands in for the source.
TEST_F(Replay, ASpoiltOriginalIsFetchedAgain) {
  mirror();
  const auto name = base::replace_all(facts(), "source.json", "originals") + products;
  ASSERT_EQ(base::read_file(name), base::read_file(world.path("src") + products));
  base::replace_file(name, "spoilt");
  auto chosen = options();
  chosen.verify = true;
  mirror(chosen);
  EXPECT_EQ(base::read_file(name), base::read_file(world.path("src") + products));
}

/// What is live stays live when the memory cannot be written, and nobody is told otherwise.
TEST_F(Replay, AMemoryThatCannotBeWrittenDoesNotUndoAPublication) {
  meph2::InsertOptions chosen;
  chosen.source = server.url("/");
  chosen.target = world.path("t");
  chosen.publish = unsigned_options("insert");
  chosen.publish.create = true;
  world.write("t/.data/.sstream/sources", "in the way");
  const auto failure = support::refused([&] { meph2::insert(chosen, context); });
  EXPECT_EQ(failure.code(), Errc::cleanup_incomplete) << failure.what();
  EXPECT_THAT(failure.what(), HasSubstr("; published"));
  EXPECT_TRUE(base::exists_at(AT_FDCWD, world.path("t/streams/v1/index.json")));
  // The second time there is nothing to publish: it has failed, and no more.
  EXPECT_EQ(support::refused([&] { meph2::insert(chosen, context); }).code(), Errc::failed);
}

TEST_F(Replay, ASignedSourceDoesNotBecomeUnsignedInSilence) {
  const support::GpgHome home;
  const auto key = home.make_key();
  const auto keyring = world.write("keyring", home.export_keys({key}));
  const auto sign = [&] {
    for (const char* document : {index, products}) {
      const auto path = world.path("src") + document;
      base::replace_file(path + ".gpg",
                         home.gpg({"--faked-system-time", "20251215T000000", "--armor",
                                   "--detach-sign", "--output", "-", path}));
    }
  };
  sign();
  auto chosen = options();
  chosen.trust.keyring = keyring;
  mirror(chosen);
  EXPECT_THAT(base::read_file(facts()), HasSubstr(key));
  expect_refused("was verified before, signed by " + key);
  redate(second_date, "unsigned");
  for (const char* document : {index, products}) {
    base::unlink_at(AT_FDCWD, world.path("src") + document + ".gpg");
  }
  EXPECT_EQ(support::refused([&] { mirror(chosen); }).code(), Errc::untrusted);
  auto unverified = options();
  unverified.trust.no_verify = true;
  mirror(unverified);
  expect_refused("was verified before");  // that was for once
  sign();
  EXPECT_FALSE(mirror(chosen).published.changed);
}

}  // namespace

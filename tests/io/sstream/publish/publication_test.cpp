#include "sstream/publish/publication.h"

#include <cstdlib>

#include <sys/file.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "io/hash/digest.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"
#include "tests/support/witness.h"

namespace {

using base::Errc;
using support::witness;
using support::World;
using testing::HasSubstr;

constexpr const char* content_id = "com.example:daily:download";

class Publication : public testing::Test {
 protected:
  sstream::PublishOptions unsigned_options() const {
    sstream::PublishOptions options;
    options.action = "test";
    options.create = true;
    options.sign = false;
    options.lock_timeout = std::chrono::seconds(0);
    return options;
  }

  /// A plan that adds `version` with one file of this content.
  sstream::Planner adds(const std::string& version, const std::string& content,
                        const std::string& product = "p:1") {
    const auto origin = world.write("origin/" + version + content, content);
    return [=](const sstream::Generation& live) {
      sstream::Plan plan;
      auto found = live.read_tree(content_id);
      auto tree =
          found ? std::move(*found) : sstream::ProductTree::make(content_id, "image-downloads");
      const auto path = base::cat("x/", version, "/root");
      const auto sha256 = io::digest_hex(io::Algorithm::sha256, content);
      tree.set({product, version, "root"},
               {{"ftype", "root"}, {"path", path}, {"sha256", sha256}, {"size", content.size()}});
      sstream::Checksums expected;
      expected.size = content.size();
      expected.sha256 = sha256;
      plan.files.add(sstream::NewFile{.path = path, .expected = expected, .origin = origin});
      plan.streams.push_back(std::move(tree));
      return plan;
    };
  }

  sstream::PublishResult publish(const sstream::Planner& planner,
                                 const sstream::PublishOptions& options) {
    return sstream::publish(world.path("repo"), planner, options, world.context);
  }

  World world;
};

TEST_F(Publication, MakesARepositoryWithFilesIndexAndStamp) {
  const auto result = publish(adds("20260101", "data"), unsigned_options());
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(base::read_file(world.path("repo/x/20260101/root")), "data");
  const auto index = world.read_json("repo/streams/v1/index.json");
  EXPECT_EQ(index.at("updated"), "Thu, 01 Jan 2026 00:00:00 +0000");
  const auto& entry = index.at("index").at(content_id);
  EXPECT_EQ(entry.at("path"), base::cat("streams/v1/", content_id, ".json"));
  EXPECT_EQ(entry.at("products"), io::Json({"p:1"}));
  EXPECT_EQ(world.read_json(base::cat("repo/streams/v1/", content_id, ".json")).at("updated"),
            index.at("updated"));
}

TEST_F(Publication, WithoutAChangeTouchesNothing) {
  publish(adds("20260101", "data"), unsigned_options());
  const auto before = witness(world.path("repo"));
  world.clock.advance(std::chrono::hours(24));
  EXPECT_FALSE(publish(adds("20260101", "data"), unsigned_options()).changed);
  EXPECT_EQ(witness(world.path("repo")), before);
}

TEST_F(Publication, StampsIncreaseWhateverTheClockDoes) {
  publish(adds("20260101", "data"), unsigned_options());
  publish(adds("20260102", "more"), unsigned_options());
  EXPECT_EQ(world.read_json("repo/streams/v1/index.json").at("updated"),
            "Thu, 01 Jan 2026 00:00:01 +0000");
  world.clock.set(base::Time(std::chrono::seconds(0)));
  publish(adds("20260103", "again"), unsigned_options());
  EXPECT_EQ(world.read_json("repo/streams/v1/index.json").at("updated"),
            "Thu, 01 Jan 2026 00:00:02 +0000");
}

TEST_F(Publication, DryRunWritesNothingAndTellsTheTruth) {
  auto options = unsigned_options();
  options.dry_run = true;
  const auto planned = publish(adds("20260101", "data"), options);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo")));
  const auto done = publish(adds("20260101", "data"), unsigned_options());
  ASSERT_EQ(planned.file_count, done.file_count);
  EXPECT_EQ(planned.files->files().at(0).path, done.files->files().at(0).path);
  EXPECT_EQ(planned.bytes, done.bytes);
  EXPECT_TRUE(planned.changed);
  EXPECT_FALSE(publish(adds("20260101", "data"), options).changed);
}

TEST_F(Publication, AnExistingFileWithOtherContentIsAConflict) {
  world.write("repo/x/20260101/root", "else");
  std::string what;
  what = support::refused(Errc::conflict,
                          [&] { publish(adds("20260101", "data"), unsigned_options()); });
  EXPECT_THAT(what, HasSubstr(io::digest_hex(io::Algorithm::sha256, "else")));
  EXPECT_THAT(what, HasSubstr(io::digest_hex(io::Algorithm::sha256, "data")));
  EXPECT_THAT(what, HasSubstr("stream unchanged"));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo/streams/v1")));
}

TEST_F(Publication, AnExistingFileWithTheRightContentIsReused) {
  world.write("repo/x/20260101/root", "data");
  const auto result = publish(adds("20260101", "data"), unsigned_options());
  EXPECT_EQ(result.files_reused, 1U);
  EXPECT_TRUE(result.files->empty());
}

TEST_F(Publication, ACorruptOriginLeavesNothingBehind) {
  auto planner = adds("20260101", "data");
  world.write("origin/20260101data", "dat4");
  support::refused(Errc::untrusted, [&] { publish(planner, unsigned_options()); });
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo/x/20260101/root")));
  EXPECT_TRUE(base::list_directory(world.path("repo/.data/.sstream/txn")).empty());
}

/// Metadata as somebody else wrote it.
sstream::ExactMetadata foreign(World& world, const std::string& updated) {
  const auto text = base::cat(R"({"content_id":"c","format":"products:1.0","updated":")", updated,
                              R"(","products":{"p":{"versions":{"1":{"items":{"i":{}}}}}}})");
  const auto index = base::cat(
      R"({"format":"index:1.0","index":{"c":{"format":"products:1.0","path":"streams/v1/c.json"}},)",
      R"("updated":")", updated, R"("})");
  sstream::ExactMetadata metadata;
  for (const auto& [name, content] : {std::pair<std::string, std::string>("c.json", text),
                                      {"index.json", index},
                                      {"c.sjson", "signed"}}) {
    metadata[name] = base::open_file(world.write("foreign-" + updated + name, content), O_RDONLY);
  }
  return metadata;
}

TEST_F(Publication, ExactMetadataIsPublishedByteForByte) {
  publish(adds("20260101", "data"), unsigned_options());
  const auto planner = [&](const std::string& updated) {
    return [this, updated](const sstream::Generation&) {
      sstream::Plan plan;
      plan.exact = foreign(world, updated);
      return plan;
    };
  };
  auto result = publish(planner("one"), unsigned_options());
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(result.updated, "one");
  EXPECT_EQ(result.changes, (io::Json{{"c", {{"p", {0, 1}}}}, {content_id, nullptr}}));
  EXPECT_THAT(base::list_directory(world.path("repo/streams/v1")),
              testing::ElementsAre("c.json", "c.sjson", "index.json"));
  for (const char* name : {"c.json", "c.sjson", "index.json"}) {
    EXPECT_EQ(base::read_file(world.path("repo/streams/v1/") + name),
              base::read_file(world.path("foreign-one") + name));
  }
  const auto before = witness(world.path("repo"));
  EXPECT_FALSE(publish(planner("one"), unsigned_options()).changed);
  EXPECT_EQ(witness(world.path("repo")), before);
  EXPECT_TRUE(publish(planner("two"), unsigned_options()).changed);
}

TEST_F(Publication, ExactMetadataThatDoesNotFitTogetherIsRefused) {
  for (const char* missing : {"c.json", "index.json"}) {
    std::string what;
    const auto planner = [&](const sstream::Generation&) {
      sstream::Plan plan;
      plan.exact = foreign(world, "one");
      plan.exact->erase(missing);
      return plan;
    };
    what = support::refused(Errc::untrusted, [&] { publish(planner, unsigned_options()); });
    EXPECT_THAT(what, HasSubstr("index.json: "));
  }
}

TEST_F(Publication, FilesThatComeInBatchesAreBroughtInMendedAndReplaced) {
  const auto content = [&](const std::string& name, const std::string& text) {
    sstream::FileEntry listed;
    listed.file.origin = world.write("origin/" + name, text);
    listed.file.path = "x/" + name;
    listed.file.expected.size = text.size();
    listed.file.expected.sha256 = io::digest_hex(io::Algorithm::sha256, text);
    return listed;
  };
  bool known = true;
  const auto planner = [&](const std::string& first) {
    return [&, first](const sstream::Generation& live) {
      auto plan = adds("20260101", "data")(live);
      sstream::FileList files(sstream::Naming::as_they_come);
      files.add(plan.files.files());
      for (auto listed : {content("a", first), content("b", "same"), content("c", "same")}) {
        listed.file.known = known;
        listed.file.replace = true;
        files.add(listed);
      }
      plan.files = std::move(files);
      return plan;
    };
  };
  auto result = publish(planner("one"), unsigned_options());
  EXPECT_EQ(result.file_count, 4U);
  EXPECT_EQ(base::read_file(world.path("repo/x/a")), "one");
  EXPECT_EQ(base::read_file(world.path("repo/x/c")), "same");
  EXPECT_FALSE(publish(planner("one"), unsigned_options()).changed);

  const auto generation = world.read_json("repo/.data/.sstream/state.json").at("generation");
  base::replace_file(world.path("repo/x/b"), "damg");  // of the same size: seen when it is read
  EXPECT_FALSE(publish(planner("one"), unsigned_options()).changed);
  known = false;
  EXPECT_TRUE(publish(planner("one"), unsigned_options()).changed);
  EXPECT_EQ(base::read_file(world.path("repo/x/b")), "same");
  EXPECT_EQ(world.read_json("repo/.data/.sstream/state.json").at("generation"), generation);

  EXPECT_TRUE(publish(planner("other"), unsigned_options()).changed);
  EXPECT_EQ(base::read_file(world.path("repo/x/a")), "other");
  world.write("origin/a", "wrong");
  const auto spoilt = [&](const sstream::Generation& live) {
    auto plan = planner("third")(live);
    world.write("origin/a", "wrong");
    return plan;
  };
  support::refused(Errc::untrusted, [&] { publish(spoilt, unsigned_options()); });
  EXPECT_EQ(base::read_file(world.path("repo/x/a")), "other");
}

TEST_F(Publication, NeverWritesThroughASymlinkBelowTheTop) {
  base::make_directories(world.path("repo/x"));
  base::make_directories(world.path("outside"));
  ASSERT_EQ(::symlink(world.path("outside").c_str(), world.path("repo/x/20260101").c_str()), 0);
  support::refused(Errc::untrusted, [&] { publish(adds("20260101", "data"), unsigned_options()); });
  EXPECT_TRUE(base::list_directory(world.path("outside")).empty());
}

TEST_F(Publication, ALinkAtTheTopIsThePool) {
  base::make_directories(world.path("repo"));
  base::make_directories(world.path("pool"));
  ASSERT_EQ(::symlink(world.path("pool").c_str(), world.path("repo/x").c_str()), 0);
  publish(adds("20260101", "data"), unsigned_options());
  EXPECT_EQ(base::read_file(world.path("pool/20260101/root")), "data");
}

TEST_F(Publication, PlansAgainWhenSomebodyElsePublished) {
  publish(adds("20260101", "data"), unsigned_options());
  int plans = 0;
  const auto ours = adds("20260102", "ours");
  publish(
      [&](const sstream::Generation& live) {
        auto plan = ours(live);
        if (++plans == 1) {
          publish(adds("20260103", "theirs"), unsigned_options());
        }
        return plan;
      },
      unsigned_options());
  EXPECT_EQ(plans, 2);
  const auto tree = world.read_json(base::cat("repo/streams/v1/", content_id, ".json"));
  EXPECT_EQ(tree.at("products").at("p:1").at("versions").size(), 3U);
}

TEST_F(Publication, AnotherWriterIsNamed) {
  publish(adds("20260101", "data"), unsigned_options());
  const auto lock = base::open_file(world.path("repo/.data/.sstream/commit.lock"), O_RDWR);
  ASSERT_EQ(::flock(lock.fd(), LOCK_EX), 0);
  std::string what;
  what = support::refused(Errc::locked,
                          [&] { publish(adds("20260102", "data"), unsigned_options()); });
  EXPECT_THAT(what, HasSubstr("held by"));
}

TEST_F(Publication, GuardRailsStopASourceThatShrinks) {
  for (const char* version : {"1", "2", "3"}) {
    publish(adds(version, version), unsigned_options());
  }
  auto options = unsigned_options();
  options.rails.enforced = true;
  const auto shrinks = [](const sstream::Generation& live) {
    sstream::Plan plan;
    auto tree = *live.read_tree(content_id);
    tree.remove({"p:1", "1", {}});
    tree.remove({"p:1", "2", {}});
    plan.streams.push_back(std::move(tree));
    return plan;
  };
  support::refused(Errc::refused, [&] { publish(shrinks, options); });
  options.rails.allow_shrink = true;
  EXPECT_TRUE(publish(shrinks, options).changed);
  const auto drops = [](const sstream::Generation& live) {
    sstream::Plan plan;
    auto tree = *live.read_tree(content_id);
    tree.remove({"p:1", {}, {}});
    plan.streams.push_back(std::move(tree));
    return plan;
  };
  support::refused(Errc::refused, [&] { publish(drops, options); });
  options.rails.allow_drop.insert("p:1");
  EXPECT_TRUE(publish(drops, options).changed);
}

TEST_F(Publication, FilesOfOthersInTheStreamSurvive) {
  world.write("repo/streams/v1/notes.txt", "keep");
  world.write("repo/streams/v1/other.json", "{\"hello\": 1}");
  world.write("repo/streams/v1/more/deep.json", "{}");
  publish(adds("20260101", "data"), unsigned_options());
  publish(adds("20260102", "data2"), unsigned_options());
  EXPECT_EQ(base::read_file(world.path("repo/streams/v1/notes.txt")), "keep");
  EXPECT_EQ(base::read_file(world.path("repo/streams/v1/other.json")), "{\"hello\": 1}");
  EXPECT_EQ(base::read_file(world.path("repo/streams/v1/more/deep.json")), "{}");
}

TEST_F(Publication, TwoFilesOfOneContentIdAreRefused) {
  publish(adds("20260101", "data"), unsigned_options());
  const auto text = base::read_file(world.path(base::cat("repo/streams/v1/", content_id, ".json")));
  world.write("repo/streams/v1/twin.json", text);
  support::refused(Errc::conflict, [&] { publish(adds("20260102", "data"), unsigned_options()); });
}

TEST_F(Publication, BrokenJsonInTheStreamIsNamed) {
  world.write("repo/streams/v1/broken.json", "{\n x");
  std::string what;
  what = support::refused(Errc::untrusted,
                          [&] { publish(adds("20260102", "data"), unsigned_options()); });
  EXPECT_THAT(what, HasSubstr("broken.json:2:"));
}

TEST_F(Publication, KeepsTheLastFiveGenerations) {
  for (int i = 1; i <= 9; ++i) {
    publish(adds(base::cat("2026010", i), base::cat("data", i)), unsigned_options());
  }
  EXPECT_EQ(base::list_directory(world.path("repo/.data/.sstream/generations")).size(), 5U);
}

TEST_F(Publication, WithoutExchangeTheJournalDoesTheSame) {
  ::setenv("SS_TEST_NO_EXCHANGE", "1", 1);
  publish(adds("20260101", "data"), unsigned_options());
  publish(adds("20260102", "more"), unsigned_options());
  ::unsetenv("SS_TEST_NO_EXCHANGE");
  const auto tree = world.read_json(base::cat("repo/streams/v1/", content_id, ".json"));
  EXPECT_EQ(tree.at("products").at("p:1").at("versions").size(), 2U);
  EXPECT_EQ(base::list_directory(world.path("repo/streams")), std::vector<std::string>{"v1"});
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo/.data/.sstream/journal.json")));
  EXPECT_FALSE(base::list_directory(world.path("repo/.data/.sstream/generations")).empty());
}

TEST_F(Publication, RefusesAStateWrittenByANewerVersion) {
  publish(adds("20260101", "data"), unsigned_options());
  world.write("repo/.data/.sstream/state.json", "{\"version\": 99}");
  support::refused(Errc::failed, [&] { publish(adds("20260102", "data"), unsigned_options()); });
}

class SignedPublication : public Publication {
 protected:
  sstream::PublishOptions options() const {
    auto options = unsigned_options();
    options.sign = true;
    options.key = key;
    return options;
  }

  /// Verifies index.sjson and the signed stream with the given key.
  void expect_signed() {
    const io::Verifier verifier(io::Keyring::from_bytes(home.export_keys({key}), "test"),
                                world.clock);
    for (const auto& name : {std::string("index"), std::string(content_id)}) {
      const auto file = base::cat("repo/streams/v1/", name);
      const auto json = base::read_file(world.path(file + ".json"));
      verifier.verify_detached(json, base::read_file(world.path(file + ".json.gpg")), name);
      const auto clear =
          verifier.verify_clearsigned(base::read_file(world.path(file + ".sjson")), name);
      EXPECT_EQ(io::parse_json(clear.text, name).at("updated"),
                io::parse_json(json, name).at("updated"));
    }
  }

  support::GpgHome home;
  std::string key = home.make_key();
};

TEST_F(SignedPublication, SignsEveryDocumentAndRewritesIndexPaths) {
  publish(adds("20260101", "data"), options());
  expect_signed();
  const io::Verifier verifier(io::Keyring::from_bytes(home.export_keys({key}), "test"),
                              world.clock);
  const auto index = verifier.verify_clearsigned(
      base::read_file(world.path("repo/streams/v1/index.sjson")), "index");
  EXPECT_EQ(io::parse_json(index.text, "index").at("index").at(content_id).at("path"),
            base::cat("streams/v1/", content_id, ".sjson"));
}

TEST_F(SignedPublication, WithoutAChangeSignsNothing) {
  publish(adds("20260101", "data"), options());
  const auto before = witness(world.path("repo"));
  EXPECT_FALSE(publish(adds("20260101", "data"), options()).changed);
  EXPECT_EQ(witness(world.path("repo")), before);
}

TEST_F(SignedPublication, RepairsAMissingOrStaleSignature) {
  publish(adds("20260101", "data"), options());
  base::unlink_at(AT_FDCWD, world.path("repo/streams/v1/index.sjson"));
  EXPECT_TRUE(publish(adds("20260101", "data"), options()).changed);
  expect_signed();
  const auto file = world.path(base::cat("repo/streams/v1/", content_id, ".json"));
  base::replace_file(file, base::replace_all(base::read_file(file), "p:1", "p:2"));
  EXPECT_TRUE(publish([](const auto&) { return sstream::Plan{}; }, options()).changed);
  expect_signed();
}

TEST_F(SignedPublication, NoSecondKey) {
  publish(adds("20260101", "data"), options());
  auto other = options();
  other.key = home.make_key({"Other <other@example.com>"});
  const auto before = witness(world.path("repo"));
  support::refused(Errc::refused, [&] { publish(adds("20260102", "data"), other); });
  EXPECT_EQ(witness(world.path("repo")), before);
}

TEST_F(SignedPublication, AKeyThatCannotSignChangesNothing) {
  publish(adds("20260101", "data"), options());
  const auto before = witness(world.path("repo"));
  auto missing = options();
  missing.key = "0123456789ABCDEF0123456789ABCDEF01234567";
  support::refused(Errc::failed, [&] { publish(adds("20260102", "data"), missing); });
  EXPECT_EQ(witness(world.path("repo")), before);
}

TEST_F(SignedPublication, WarnsOfAKeyThatEndsSoon) {
  support::KeyOptions soon;
  soon.user_id = "Soon <soon@example.com>";
  soon.expires = "2026-01-20";
  auto ending = options();
  ending.key = home.make_key(soon);
  publish(adds("20260101", "data"), ending);
  EXPECT_THAT(world.lines, testing::Contains(HasSubstr("ends on")));
}

TEST_F(SignedPublication, UnsignedOnRequestSaysSo) {
  publish(adds("20260101", "data"), options());
  publish(adds("20260102", "more"), unsigned_options());
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo/streams/v1/index.sjson")));
  EXPECT_THAT(world.lines, testing::Contains(HasSubstr("was signed")));
}

}  // namespace

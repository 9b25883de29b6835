#include "meph2/verbs/history.h"

#include <fcntl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "io/hash/digest.h"
#include "meph2/verbs/rollback.h"
#include "meph2/verbs/status.h"
#include "sstream/repository/generation.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::HasSubstr;

constexpr const char* content_id = "com.example:daily:download";

class History : public testing::Test {
 protected:
  sstream::PublishOptions options(const std::string& action) const {
    sstream::PublishOptions made;
    made.action = action;
    made.create = true;
    made.sign = false;
    return made;
  }

  /// Publishes one more version of `product` with one file.
  void add(const std::string& version, const std::string& product = "p:1") {
    const auto origin = world.write("origin/" + version, "data of " + version);
    const auto planner = [&](const sstream::Generation& live) {
      sstream::Plan plan;
      auto found = live.read_tree(content_id);
      auto tree =
          found ? std::move(*found) : sstream::ProductTree::make(content_id, "image-downloads");
      const auto path = base::cat("x/", version, "/root");
      sstream::Checksums expected;
      expected.size = std::string("data of ").size() + version.size();
      expected.sha256 = io::digest_hex(io::Algorithm::sha256, "data of " + version);
      tree.set({product, version, "root"}, {{"ftype", "root"},
                                            {"path", path},
                                            {"sha256", expected.sha256},
                                            {"size", expected.size}});
      plan.files.add(sstream::NewFile{.path = path, .expected = expected, .origin = origin});
      plan.streams.push_back(std::move(tree));
      plan.details = {{"note", version}};
      return plan;
    };
    sstream::publish(repo(), planner, options("add"), world.context);
  }

  std::string repo() const { return world.path("repo"); }

  meph2::HistoryResult history(const std::string& action = "") const {
    return meph2::history({repo(), action});
  }

  meph2::RollbackResult rollback(const std::string& generation = "",
                                 const std::string& product = "") {
    return meph2::rollback({repo(), generation, product, options("rollback")}, world.context);
  }

  std::vector<std::string> versions(const std::string& product = "p:1") const {
    const sstream::Repository repository(repo(), sstream::Access::read);
    return sstream::Generation::load(repository).read_tree(content_id)->versions(product);
  }

  std::string error_of(const std::function<void()>& work, Errc expected) const {
    return support::refused(expected, [&] { work(); });
  }

  void append_raw(const std::string& text) const {
    const auto path = repo() + "/.data/.sstream/history.jsonl";
    base::replace_file(path, base::read_file(path) + text);
  }

  support::World world;
};

TEST_F(History, SaysWhoPublishedWhatWhen) {
  add("1");
  add("2");
  const auto result = history();
  ASSERT_EQ(result.rows.size(), 2U);
  const auto& row = result.rows[1];
  EXPECT_EQ(row.entry.generation, 2U);
  EXPECT_EQ(row.entry.action, "add");
  EXPECT_EQ(row.entry.when, "Thu, 01 Jan 2026 00:00:00 +0000");
  EXPECT_THAT(row.entry.who, HasSubstr("@"));
  EXPECT_THAT(row.entry.command, HasSubstr("io_history"));
  EXPECT_EQ(row.entry.files, 1U);
  EXPECT_EQ(row.entry.changes, io::Json({{content_id, {{"p:1", {1, 2}}}}}));
  EXPECT_EQ(row.entry.details, io::Json({{"note", "2"}}));
  EXPECT_TRUE(row.live);
  EXPECT_FALSE(row.kept);
  EXPECT_TRUE(result.rows[0].kept);
  EXPECT_TRUE(history("promote").rows.empty());
}

TEST_F(History, KeepsFiveGenerations) {
  for (const auto* version : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
    add(version);
  }
  const auto result = history();
  ASSERT_EQ(result.rows.size(), 8U);
  EXPECT_FALSE(result.rows[1].kept);
  EXPECT_TRUE(result.rows[2].kept);
  EXPECT_TRUE(result.rows[6].kept);
}

TEST_F(History, OneThatWasNeverPublishedDoesNotCount) {
  add("1");
  append_raw(
      R"({"generation":2,"action":"died","base":"x","digest":"y"})");  // no newline: torn off
  EXPECT_EQ(history().rows.size(), 1U);
  add("2");
  const auto result = history();
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[1].entry.action, "add");
  EXPECT_EQ(result.unreadable, 0U);
}

TEST_F(History, ATornLineIsLeftOutAndCounted) {
  add("1");
  append_raw(R"({"generation":2,"acti)");
  add("2");
  const auto result = history();
  EXPECT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.unreadable, 1U);
}

TEST_F(History, NumbersGoOnWhenTheStateWasNotWritten) {
  add("1");
  const auto state = base::read_file(repo() + "/.data/.sstream/state.json");
  add("2");
  base::replace_file(repo() + "/.data/.sstream/state.json", state);
  add("3");
  ASSERT_EQ(history().rows.size(), 3U);
  EXPECT_EQ(history().rows[2].entry.generation, 3U);
  base::open_directory(repo());
  ASSERT_TRUE(base::unlink_at(AT_FDCWD, repo() + "/.data/.sstream/state.json"));
  add("4");
  EXPECT_EQ(history().rows.size(), 4U);
}

TEST_F(History, AnEditByAnotherToolIsNoticed) {
  add("1");
  const auto file = base::cat(repo(), "/streams/v1/", content_id, ".json");
  base::replace_file(file,
                     base::replace_all(base::read_file(file), "image-downloads", "image-ids"));
  EXPECT_TRUE(history().edited_since);
  add("2");
  const auto result = history();
  EXPECT_FALSE(result.edited_since);
  EXPECT_TRUE(result.rows[1].edited);
}

/// Signing changes no document: an attempt that never became live must not pass for one that did.
TEST_F(History, SignaturesAreAPartOfAGeneration) {
  add("1");
  const auto digest = history().rows[0].entry.digest;
  world.write(base::cat("repo/streams/v1/", content_id, ".json.gpg"), "signature");
  EXPECT_TRUE(history().edited_since);
  append_raw(base::cat(R"({"generation":2,"action":"sign","base":")", digest,
                       R"(","digest":"of one that died"})", "\n"));
  EXPECT_EQ(history().rows.size(), 1U);
}

TEST_F(History, ACrashBeforeTheCleanUpLosesNoGeneration) {
  add("1");
  add("2");
  // As it is between the exchange and the clean-up: the replaced generation has the new one's name.
  const auto streams = base::open_directory(repo() + "/streams");
  const auto kept = base::open_directory(repo() + "/.data/.sstream/generations");
  base::rename_at(kept.fd(), "00000001", streams.fd(), ".v1.00000002.new");
  add("3");
  const auto result = history();
  ASSERT_EQ(result.rows.size(), 3U);
  EXPECT_TRUE(result.rows[0].kept);
  EXPECT_TRUE(result.rows[1].kept);
}

using Rollback = History;

TEST_F(Rollback, MakesTheLastGenerationLiveAgainAndBack) {
  add("1");
  add("2");
  const auto result = rollback();
  EXPECT_EQ(result.generation, "00000001");
  EXPECT_EQ(versions(), std::vector<std::string>{"1"});
  rollback();
  EXPECT_EQ(versions(), (std::vector<std::string>{"2", "1"}));
  EXPECT_EQ(history().rows.back().entry.details.at("restored"), "00000002");
}

TEST_F(Rollback, StampsGoForward) {
  add("1");
  add("2");
  const auto before = world.read_json("repo/streams/v1/index.json").at("updated");
  rollback();
  EXPECT_NE(world.read_json("repo/streams/v1/index.json").at("updated"), before);
}

TEST_F(Rollback, OfOneProductLeavesTheOthers) {
  add("1");
  add("2", "p:2");
  add("3");
  rollback("1", "p:1");
  EXPECT_EQ(versions(), std::vector<std::string>{"1"});
  EXPECT_EQ(versions("p:2"), std::vector<std::string>{"2"});
  rollback("1", "p:2");
  EXPECT_TRUE(versions("p:2").empty());
  EXPECT_EQ(versions(), std::vector<std::string>{"1"});
}

TEST_F(Rollback, ToWhatIsLiveChangesNothing) {
  add("1");
  add("2");
  rollback("1");
  EXPECT_FALSE(rollback("1").published.changed);
}

TEST_F(Rollback, NamesAFileThatIsGone) {
  add("1");
  add("2");
  rollback("1");
  base::unlink_at(AT_FDCWD, repo() + "/x/2/root");
  EXPECT_THAT(error_of([&] { rollback("2"); }, Errc::refused), HasSubstr("x/2/root: is gone"));
  base::replace_file(repo() + "/x/2/root", "short");
  EXPECT_THAT(error_of([&] { rollback("2"); }, Errc::refused), HasSubstr("5 bytes"));
  EXPECT_EQ(versions(), std::vector<std::string>{"1"});
}

TEST_F(Rollback, NeedsAGenerationThatIsKept) {
  add("1");
  EXPECT_THAT(error_of([&] { rollback(); }, Errc::not_found), HasSubstr("no earlier generation"));
  add("2");
  EXPECT_THAT(error_of([&] { rollback("7"); }, Errc::not_found),
              HasSubstr("generation 00000007 is not kept; there are 00000001"));
  error_of([&] { rollback("../x"); }, Errc::usage);
  error_of([&] { rollback("1", "p:none"); }, Errc::not_found);
}

class Status : public History {
 protected:
  meph2::StatusResult status(std::chrono::seconds max_age = std::chrono::hours(36)) {
    meph2::StatusOptions options;
    options.target = repo();
    options.max_age = max_age;
    return meph2::status(options, world.context);
  }
};

TEST_F(Status, OfAHealthyStreamNamesNoProblem) {
  add("20251230");
  add("20251231");
  add("20251201", "p:2");
  world.clock.advance(std::chrono::hours(24));
  const auto found = status();
  EXPECT_THAT(found.problems, testing::IsEmpty());
  EXPECT_EQ(found.last->generation, 3U);
  EXPECT_EQ(found.index_age, 24 * 3600 - 2);  // each publication is a second later than the last
  ASSERT_EQ(found.products.size(), 2U);
  EXPECT_EQ(found.products[0].name, "p:2");
  EXPECT_EQ(found.products[1].newest, "20251231");
  EXPECT_EQ(found.products[1].age, 24 * 3600);
  EXPECT_EQ(found.orphans->files, 0U);
  EXPECT_FALSE(found.interrupted);
}

TEST_F(Status, NamesWhatSomebodyHasToDoSomethingAbout) {
  add("20251231");
  world.clock.advance(std::chrono::hours(48));
  const auto file = base::cat(repo(), "/streams/v1/", content_id, ".json");
  base::replace_file(file,
                     base::replace_all(base::read_file(file), "image-downloads", "image-ids"));
  const auto found = status();
  EXPECT_THAT(found.problems,
              testing::ElementsAre(HasSubstr("the index is older than 129600 seconds"),
                                   HasSubstr("something else edited the metadata")));
}

TEST_F(Status, CountsWhatCouldBeReclaimed) {
  add("20251231");
  world.write("repo/x/lost/root", "12345");
  world.write("repo/.data/.sstream/txn/1-1/abc", "123");
  world.write("repo/streams/.v1.00000002.new/index.json", "{}");
  const auto found = status();
  EXPECT_EQ(found.orphans->files, 1U);
  EXPECT_EQ(found.orphans->bytes, 5U);
  EXPECT_EQ(found.staged.bytes, 3U);
  EXPECT_TRUE(found.interrupted);
}

TEST_F(Status, NeedsAStream) {
  base::make_directories(repo());
  EXPECT_THAT(error_of([&] { status(); }, Errc::not_found), HasSubstr("no streams/v1"));
}

}  // namespace

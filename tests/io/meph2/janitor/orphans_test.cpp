#include <cstdlib>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "meph2/janitor/find_orphans.h"
#include "meph2/janitor/reap_orphans.h"
#include "sstream/repository/holds.h"
#include "tests/io/meph2/janitor/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using support::Versions;
using support::witness;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto days = [](int count) { return std::chrono::hours(24 * count); };

class Janitor : public support::JanitorWorld {
 protected:
  void SetUp() override {
    find_options.orphans = world.path("orphans.json");
    find_options.data_d = world.path("repo");
    find_options.lock_timeout = 0s;
    reap_options.orphans = find_options.orphans;
    reap_options.data_d = find_options.data_d;
    reap_options.lock_timeout = 0s;
  }

  meph2::FindOrphansResult find() { return meph2::find_orphans(find_options, world.context); }

  meph2::ReapOrphansResult reap() { return meph2::reap_orphans(reap_options, world.context); }

  /// A stream with one version, and orphans beside it.
  void start(const std::vector<std::string>& orphans = {"old/1"}) {
    publish("repo", {{"1", {"a/1"}}});
    for (const auto& orphan : orphans) {
      world.write("repo/" + orphan, orphan);
    }
  }

  io::Json recorded() const { return world.read_json("orphans.json"); }

  void record(const io::Json& list) const {
    base::replace_file(find_options.orphans, io::to_text(list));
  }

  std::string stamp(std::chrono::seconds ago = 0s) const {
    return base::format_stamp(world.clock.now() - ago);
  }

  /// Publishes until the history holds nothing of before.
  void forget_history(const Versions& versions) {
    for (int i = 0; i < 6; ++i) {
      auto more = versions;
      more[base::cat("more", i)] = {"a/1"};
      publish("repo", more);
    }
  }

  static std::vector<std::string> paths(const std::vector<meph2::KeptOrphan>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) {
      out.push_back(entry.path);
    }
    return out;
  }

  meph2::FindOrphansOptions find_options;
  meph2::ReapOrphansOptions reap_options;
};

TEST_F(Janitor, FindsAndReapsWhatNoStreamNames) {
  start({"old/1", "old/deep/2", "old/deep/3.part"});
  const auto found = find();
  EXPECT_EQ(found.added, 3U);
  EXPECT_EQ(recorded(),
            io::Json({{"old/1", stamp()}, {"old/deep/2", stamp()}, {"old/deep/3.part", stamp()}}));
  EXPECT_THAT(reap().reaped, IsEmpty()) << "too young";
  world.clock.advance(days(3));
  EXPECT_THAT(reap().reaped, IsEmpty()) << "three days are not longer ago than three days";
  world.clock.advance(1s);
  const auto reaped = reap();
  EXPECT_THAT(reaped.reaped, SizeIs(3));
  EXPECT_EQ(reaped.bytes, 5U + 10U + 15U);
  EXPECT_EQ(recorded(), io::Json::object());
  EXPECT_FALSE(exists("repo/old"));
  EXPECT_TRUE(exists("repo/a/1"));
  EXPECT_TRUE(exists("orphans.json.bak"));
}

/// Of image builds that failed: nothing else removes them.
TEST_F(Janitor, LogsAreKeptAsLongAsAnyFileThatNoStreamNames) {
  start({"logs/noble-amd64-20240501/kernel-linux-generic.log"});
  find();
  EXPECT_EQ(recorded(),
            io::Json({{"logs/noble-amd64-20240501/kernel-linux-generic.log", stamp()}}));
  world.clock.advance(days(3));
  EXPECT_THAT(reap().reaped, IsEmpty());
  world.clock.advance(1s);
  EXPECT_THAT(reap().reaped, SizeIs(1));
  EXPECT_FALSE(exists("repo/logs"));
}

TEST_F(Janitor, TheTrashKeepsForADay) {
  start({"old/1"});
  find();
  reap_options.now = true;
  reap();
  const auto batch =
      base::cat("repo/.data/.sstream/trash/", base::format_compact(world.clock.now()));
  EXPECT_EQ(base::read_file(world.path(batch + "/old/1")), "old/1");
  world.clock.advance(days(1) - 1s);
  EXPECT_EQ(reap().purged, 0U);
  world.clock.advance(1s);
  EXPECT_EQ(reap().purged, 1U);
  EXPECT_FALSE(exists("repo/.data/.sstream/trash"));
  world.write("repo/old/2", "x");
  find();
  reap_options.trash = 0s;
  EXPECT_THAT(reap().reaped, SizeIs(1));
  EXPECT_FALSE(exists("repo/.data/.sstream/trash"));
}

TEST_F(Janitor, O1_ReferencedAgainIsKept) {
  publish("repo", {{"1", {"a/1"}}});
  world.write("repo/a/2", "a/2");
  find();
  world.clock.advance(days(4));
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  const auto result = reap();
  EXPECT_THAT(result.reaped, IsEmpty());
  EXPECT_THAT(paths(result.named), ElementsAre("a/2"));
  EXPECT_TRUE(exists("repo/a/2"));
  EXPECT_EQ(recorded(), io::Json::object()) << "its entry is dropped: the timer is reset";
}

TEST_F(Janitor, O2_NamedInBetweenBeginsAnew) {
  publish("repo", {{"1", {"a/1"}}});
  world.write("repo/a/2", "a/2");
  find();
  world.clock.advance(days(2));
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  world.clock.advance(days(2));
  publish("repo", {{"1", {"a/1"}}});
  const auto dropped = world.clock.now();
  forget_history({{"1", {"a/1"}}});
  world.clock.advance(1h);
  // The history is gone, so only a look in between could know. With it:
  base::remove_tree(world.path("repo"));
  base::unlink_at(AT_FDCWD, find_options.orphans);
  publish("repo", {{"1", {"a/1"}}});
  world.write("repo/a/2", "a/2");
  find();
  world.clock.advance(days(4));
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  publish("repo", {{"1", {"a/1"}}});
  const auto again = world.clock.now();
  EXPECT_GT(again, dropped);
  const auto result = reap();
  EXPECT_THAT(paths(result.kept), ElementsAre("a/2"));
  const auto since = *base::parse_stamp(recorded().at("a/2").get<std::string>());
  EXPECT_GE(since, again) << "not the day on which it was first seen";
  EXPECT_EQ(find().restarted, 0U) << "that is settled";
}

TEST_F(Janitor, O2_FindToo) {
  publish("repo", {{"1", {"a/1"}}});
  world.write("repo/a/2", "a/2");
  find();
  world.clock.advance(days(4));
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  publish("repo", {{"1", {"a/1"}}});
  EXPECT_EQ(find().restarted, 1U);
  EXPECT_GE(*base::parse_stamp(recorded().at("a/2").get<std::string>()), world.clock.now());
}

TEST_F(Janitor, O3_StagedFilesAreNotRecorded) {
  start({"old/1"});
  const sstream::Repository repository(world.path("repo"), sstream::Access::write);
  const auto stager = repository.lock_stage(base::LockMode::shared, 0s, world.context);
  const auto found = find();
  EXPECT_EQ(found.young, 1U);
  EXPECT_EQ(recorded(), io::Json::object());
}

TEST_F(Janitor, O4_ReapWaitsForWhoAddsAndFindDoesNot) {
  start({"old/1"});
  find();
  const sstream::Repository repository(world.path("repo"), sstream::Access::write);
  auto stager = repository.lock_stage(base::LockMode::shared, 0s, world.context);
  reap_options.now = true;
  support::refused(Errc::locked, [&] { reap(); });
  EXPECT_EQ(base::exit_code_of(Errc::locked), 75);
  EXPECT_TRUE(exists("repo/old/1"));
  find();
  stager.release();
  EXPECT_THAT(reap().reaped, IsEmpty()) << "the find in between left it out: somebody was adding";
  find();
  EXPECT_THAT(reap().reaped, SizeIs(1));
}

TEST_F(Janitor, O5_FindRefusesAStreamItCannotReadWhole) {
  start();
  const auto index = world.path("repo/streams/v1/index.json");
  const auto stream = world.path(base::cat("repo/streams/v1/", support::janitor_content, ".json"));
  const auto good_index = base::read_file(index);
  const auto good_stream = base::read_file(stream);
  const std::vector<std::pair<std::string, std::string>> broken = {
      {index, "{"},
      {index, ""},
      {index, R"({"format": "index:1.0", "index": {}})"},
      {stream, good_stream.substr(0, good_stream.size() / 2)},
      {stream, ""},
      {stream, base::replace_all(good_stream, "\"items\"", "\"stems\"").substr(0, 0) +
                   R"({"format": "products:1.0", "content_id": "x", "products": {}})"}};
  for (const auto& [file, text] : broken) {
    base::replace_file(file, text);
    EXPECT_THROW(find(), base::Error) << text;
    EXPECT_FALSE(exists("orphans.json")) << text;
    base::replace_file(index, good_index);
    base::replace_file(stream, good_stream);
  }
  base::unlink_at(AT_FDCWD, index);
  support::refused(Errc::not_found, [&] { find(); });
  base::replace_file(index, good_index);
  base::unlink_at(AT_FDCWD, stream);
  support::refused(Errc::not_found, [&] { find(); });
  EXPECT_FALSE(exists("orphans.json"));
}

TEST_F(Janitor, O5_ReapRefusesItToo) {
  start();
  find();
  reap_options.now = true;
  const auto before = witness(world.path("repo/old"));
  base::replace_file(world.path("repo/streams/v1/index.json"),
                     R"({"format": "index:1.0", "index": {}})");
  support::refused(Errc::refused, [&] { reap(); });
  EXPECT_EQ(witness(world.path("repo/old")), before);
  EXPECT_THAT(recorded(), SizeIs(1));
}

TEST_F(Janitor, O5_UnsignedWhereSignedIsDemanded) {
  const support::GpgHome home;
  options.sign = true;
  options.key = home.make_key();
  start();
  find_options.keyring = world.write("keyring.gpg", home.export_keys({options.key}));
  find();
  reap_options.now = true;
  base::unlink_at(AT_FDCWD, world.path("repo/streams/v1/index.json.gpg"));
  base::unlink_at(AT_FDCWD, world.path("repo/streams/v1/index.sjson"));
  support::refused(Errc::untrusted, [&] { find(); });
  EXPECT_EQ(support::refused([&] { reap(); }).code(), Errc::untrusted)
      << "reap asks for the same keyring";
  EXPECT_TRUE(exists("repo/old/1"));
}

TEST_F(Janitor, O6_EveryStreamHasToLoad) {
  start();
  publish("other", {{"1", {"b/1"}}});
  find_options.streams = {world.path("repo"), world.path("other")};
  find();
  base::remove_tree(world.path("other"));
  support::refused(Errc::not_found, [&] { find(); });
  reap_options.now = true;
  EXPECT_EQ(support::refused([&] { reap(); }).code(), Errc::not_found)
      << "reap asks the streams that find asked";
  EXPECT_TRUE(exists("repo/old/1"));
}

TEST_F(Janitor, O7_MoreThanHalfOfTheBytesNeedsYes) {
  publish("repo", {{"1", {"a/1"}}});
  for (int i = 0; i < 101; ++i) {
    world.write(base::cat("repo/old/", i), "orphan");
  }
  find();
  reap_options.now = true;
  std::string what;
  what = support::refused(Errc::refused, [&] { reap(); });
  EXPECT_THAT(what, HasSubstr("--yes"));
  EXPECT_TRUE(exists("repo/old/0"));
  reap_options.dry_run = true;
  EXPECT_EQ(support::refused([&] { reap(); }).code(), Errc::refused) << "a dry run says so as well";
  reap_options.dry_run = false;
  reap_options.max_files = 100;
  EXPECT_THAT(reap().reaped, SizeIs(100));
  reap_options.max_files.reset();
  reap_options.yes = true;
  EXPECT_THAT(reap().reaped, SizeIs(1));
}

TEST_F(Janitor, O8_EntriesThatCannotBeRightAreRejectedAndTheOthersGo) {
  start({"old/1", "dir/file"});
  find();
  world.write("outside/file", "x");
  ASSERT_EQ(::symlink("../outside", world.path("repo/link").c_str()), 0);
  ASSERT_EQ(::symlink("old/1", world.path("repo/onelink").c_str()), 0);
  ASSERT_EQ(::mkfifo(world.path("repo/fifo").c_str(), 0644), 0);
  auto list = recorded();
  list.erase("dir/file");
  const std::vector<std::string> bad = {"../outside/file",
                                        world.path("outside/file"),
                                        "link/file",
                                        "onelink",
                                        "streams/v1/index.json",
                                        ".data/.sstream/stage.lock",
                                        "dir",
                                        "fifo",
                                        "a/../old/1",
                                        "./old/1",
                                        "a//1",
                                        "",
                                        "old/1\n"};
  for (const auto& path : bad) {
    list[path] = stamp(days(9));
  }
  record(list);
  const auto outside = witness(world.path("outside"));
  const auto streams = witness(world.path("repo/streams"));
  reap_options.now = true;
  const auto result = reap();
  EXPECT_THAT(result.reaped, SizeIs(1));
  EXPECT_TRUE(result.incomplete());
  EXPECT_THAT(result.rejected, SizeIs(bad.size()));
  EXPECT_THAT(recorded(), SizeIs(bad.size())) << "they stay listed";
  EXPECT_EQ(witness(world.path("outside")), outside);
  EXPECT_EQ(witness(world.path("repo/streams")), streams);
  EXPECT_TRUE(exists("repo/dir/file"));
  EXPECT_TRUE(exists("repo/a/1"));
  find();
  EXPECT_EQ(recorded(), io::Json({{"dir/file", stamp()}})) << "find takes them out";
}

TEST_F(Janitor, O9_ADamagedListIsNeverReapedAndRebuiltWithNewDates) {
  start({"old/1", "old/2"});
  find();
  world.clock.advance(days(9));
  const auto whole = base::read_file(find_options.orphans);
  reap_options.now = true;
  std::vector<std::string> damaged = {
      "[]",
      "1",
      "null",
      R"({"old/1": 5})",
      R"({"old/1": null})",
      R"({"old/1": {}})",
      "\xFF\xFE",
      R"({"old/1": NaN})",
      base::cat(R"({"old/1": ")", stamp(), R"(", "old/1": ")", stamp(), "\"}")};
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    damaged.push_back(whole.substr(0, length));
  }
  for (const auto& text : damaged) {
    base::replace_file(find_options.orphans, text);
    std::string what;
    what = support::refused(Errc::untrusted, [&] { reap(); });
    EXPECT_THAT(what, HasSubstr("--rebuild")) << text;
    EXPECT_EQ(support::refused([&] { find(); }).code(), Errc::untrusted) << text;
  }
  EXPECT_TRUE(exists("repo/old/1"));
  find_options.rebuild = true;
  find();
  EXPECT_EQ(recorded(), io::Json({{"old/1", stamp()}, {"old/2", stamp()}}));
}

TEST_F(Janitor, O9_AListWithoutItsSecondFileStillServes) {
  start();
  find();
  world.clock.advance(days(4));
  for (const auto* text :
       {"", "{", "[]", R"({"version": "x"})", R"({"files": []})", R"({"streams": [1]})"}) {
    base::replace_file(find_options.orphans + ".state", text);
    reap_options.dry_run = true;
    EXPECT_THAT(reap().reaped, SizeIs(1)) << text;
  }
  base::replace_file(find_options.orphans + ".state", R"({"version": 99})");
  EXPECT_EQ(support::refused([&] { reap(); }).code(), Errc::failed)
      << "a newer one is not guessed at";
}

TEST_F(Janitor, O11_DatesThatCannotBeRight) {
  start({"future", "ancient", "garbled", "empty"});
  find();
  base::unlink_at(AT_FDCWD, find_options.orphans + ".state");
  record({{"future", stamp(-days(9))},
          {"ancient", "Thu, 01 Jan 1970 00:00:00 +0000"},
          {"garbled", "yesterday"},
          {"empty", ""}});
  // The clock of this test stands before the files' own times.
  const auto result = reap();
  EXPECT_THAT(result.reaped, IsEmpty()) << "1970 says nothing: the file's own time counts";
  EXPECT_THAT(paths(result.rejected), ElementsAre("empty", "garbled"));
  EXPECT_EQ(recorded().at("garbled"), "yesterday");
  EXPECT_EQ(recorded().at("empty"), "") << "not 1970, which would be an age";

  struct stat status {};

  ASSERT_EQ(::stat(world.path("repo/ancient").c_str(), &status), 0);
  world.clock.set(base::Time(std::chrono::seconds(status.st_ctim.tv_sec)) + days(3) + 2s);
  record({{"future", stamp(-days(9))}, {"ancient", "Thu, 01 Jan 1970 00:00:00 +0000"}});
  const auto later = reap();
  ASSERT_THAT(later.reaped, SizeIs(1));
  EXPECT_EQ(later.reaped[0].path, "ancient");
  find();
  EXPECT_EQ(recorded().at("future"), stamp()) << "a date to come is today's";
}

TEST_F(Janitor, O12_CapsLimitWhatOneRunDoes) {
  start({"old/1", "old/2", "old/3"});
  find();
  auto list = recorded();
  list["old/2"] = stamp(days(30));
  list["old/3"] = stamp(days(20));
  list["old/1"] = stamp(days(10));
  record(list);
  reap_options.max_files = 1;
  auto result = reap();
  ASSERT_THAT(result.reaped, SizeIs(1));
  EXPECT_EQ(result.reaped[0].path, "old/2") << "the oldest first";
  EXPECT_EQ(result.capped, 2U);
  reap_options.max_files.reset();
  reap_options.max_bytes = 5;
  result = reap();
  ASSERT_THAT(result.reaped, SizeIs(1));
  EXPECT_EQ(result.reaped[0].path, "old/3");
  reap_options.max_bytes = 0;
  EXPECT_THAT(reap().reaped, IsEmpty());
  EXPECT_THAT(recorded(), SizeIs(1));
}

TEST_F(Janitor, O13_AClockThatGoesBackReapsNothing) {
  start();
  find();
  world.clock.advance(-days(400));
  EXPECT_THAT(reap().reaped, IsEmpty());
  reap_options.older = 0s;
  EXPECT_THAT(reap().reaped, IsEmpty());
  EXPECT_TRUE(exists("repo/old/1"));
}

TEST_F(Janitor, O14_WhatChangedSinceItWasRecordedIsKeptAndRecordedAnew) {
  start({"touched", "replaced", "grown", "linked", "same"});
  find();
  world.clock.advance(days(4));
  ASSERT_EQ(::utimensat(AT_FDCWD, world.path("repo/touched").c_str(), nullptr, 0), 0);
  world.write("repo/replaced", "replaced");  // same size, another inode
  { base::open_file(world.path("repo/grown"), O_WRONLY | O_APPEND).write("more"); }
  ASSERT_EQ(::link(world.path("repo/linked").c_str(), world.path("elsewhere").c_str()), 0);
  reap_options.now = true;
  const auto result = reap();
  EXPECT_THAT(paths(result.kept), ElementsAre("grown", "linked", "replaced", "touched"));
  ASSERT_THAT(result.reaped, SizeIs(1));
  EXPECT_EQ(result.reaped[0].path, "same");
  EXPECT_EQ(
      recorded(),
      io::Json(
          {{"grown", stamp()}, {"linked", stamp()}, {"replaced", stamp()}, {"touched", stamp()}}));
  EXPECT_THAT(reap().reaped, SizeIs(4)) << "recorded anew, they are as recorded";
}

TEST_F(Janitor, O14_FindNoticesToo) {
  start({"replaced"});
  find();
  world.clock.advance(days(4));
  world.write("repo/replaced", "replaced");
  EXPECT_EQ(find().restarted, 1U);
  EXPECT_EQ(recorded(), io::Json({{"replaced", stamp()}}));
}

TEST_F(Janitor, O15_EmptyParentsGoButNeverTheDataDirectory) {
  publish("stream", {{"1", {"a/1"}}}, "up/pool");
  base::remove_tree(world.path("up/pool/a"));
  world.write("up/pool/x/y/z/old", "old");
  world.write("up/pool/x/keep", "keep");
  find_options.data_d = reap_options.data_d = world.path("up/pool");
  find_options.streams = {world.path("stream")};
  find();
  auto list = recorded();
  list.erase("x/keep");
  record(list);
  reap_options.now = true;
  reap_options.trash = 0s;
  EXPECT_EQ(reap().directories, 2U);
  EXPECT_TRUE(exists("up/pool/x/keep"));
  find();
  EXPECT_EQ(reap().directories, 1U);
  EXPECT_TRUE(exists("up/pool"));
  EXPECT_FALSE(exists("up/pool/x"));
}

TEST_F(Janitor, O16_OneFileThatCannotGoDoesNotStopTheOthers) {
  if (::getuid() != 0) {
    GTEST_SKIP() << "making a file immutable wants root";
  }
  start({"old/1", "old/2", "old/3"});
  {
    const auto file = base::open_file(world.path("repo/old/2"), O_RDONLY);
    int flags = 0;
    if (::ioctl(file.fd(), FS_IOC_GETFLAGS, &flags) != 0) {
      GTEST_SKIP() << "this file system has no immutable files";
    }
    flags |= FS_IMMUTABLE_FL;
    ASSERT_EQ(::ioctl(file.fd(), FS_IOC_SETFLAGS, &flags), 0);
  }
  find();
  reap_options.now = true;
  const auto result = reap();
  {
    const auto file = base::open_file(world.path("repo/old/2"), O_RDONLY);
    int flags = 0;
    ::ioctl(file.fd(), FS_IOC_GETFLAGS, &flags);
    flags &= ~FS_IMMUTABLE_FL;
    ::ioctl(file.fd(), FS_IOC_SETFLAGS, &flags);
  }
  EXPECT_THAT(result.reaped, SizeIs(2));
  EXPECT_THAT(paths(result.rejected), ElementsAre("old/2"));
  EXPECT_EQ(result.bytes, 10U);
  EXPECT_THAT(recorded(), SizeIs(1));
  EXPECT_THAT(reap().reaped, SizeIs(0)) << "clearing the flag changed the file";
}

TEST_F(Janitor, O18_AReaderKeepsItsOpenFile) {
  start();
  find();
  auto reader = base::open_file(world.path("repo/old/1"), O_RDONLY);
  reap_options.now = true;
  reap_options.trash = 0s;
  EXPECT_THAT(reap().reaped, SizeIs(1));
  EXPECT_EQ(base::read_all(reader), "old/1");
}

TEST_F(Janitor, O19_KeptGenerationsCount) {
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  publish("repo", {{"1", {"a/1"}}});
  EXPECT_EQ(find().added, 1U) << "the live stream does not name it any more: its time runs";
  world.clock.advance(days(9));
  const auto result = reap();
  EXPECT_THAT(paths(result.kept), ElementsAre("a/2"));
  EXPECT_THAT(result.kept[0].reason, HasSubstr("generation"));
  EXPECT_TRUE(exists("repo/a/2"));
  forget_history({{"1", {"a/1"}}});
  EXPECT_THAT(reap().reaped, SizeIs(1)) << "rollback does not reach it any more";
}

TEST_F(Janitor, O20_AnotherNameOfTheSameFileStays) {
  start();
  world.write("other/file", "content");
  ASSERT_EQ(::link(world.path("other/file").c_str(), world.path("repo/old/2").c_str()), 0);
  find();
  reap_options.now = true;
  reap_options.trash = 0s;
  EXPECT_THAT(reap().reaped, SizeIs(2));
  EXPECT_EQ(base::read_file(world.path("other/file")), "content");
}

TEST_F(Janitor, O21_ADryRunChangesNothingAndTellsTheTruth) {
  start({"old/1", "old/2", "young"});
  find_options.dry_run = true;
  const auto untouched = witness(world.scratch.path());
  EXPECT_EQ(find().added, 3U);
  EXPECT_EQ(witness(world.scratch.path()), untouched);
  find_options.dry_run = false;
  find();
  auto list = recorded();
  list["old/1"] = list["old/2"] = stamp(days(5));
  list["../x"] = stamp(days(5));
  record(list);
  reap_options.dry_run = true;
  const auto before = witness(world.scratch.path());
  const auto planned = reap();
  EXPECT_EQ(witness(world.scratch.path()), before);
  reap_options.dry_run = false;
  const auto done = reap();
  ASSERT_EQ(planned.reaped.size(), done.reaped.size());
  for (std::size_t i = 0; i < done.reaped.size(); ++i) {
    EXPECT_EQ(planned.reaped[i].path, done.reaped[i].path);
  }
  EXPECT_EQ(planned.bytes, done.bytes);
  EXPECT_EQ(planned.remaining, done.remaining);
  EXPECT_EQ(paths(planned.rejected), paths(done.rejected));
}

TEST_F(Janitor, O22_TwoJanitors) {
  start();
  find();
  const sstream::Repository repository(world.path("repo"), sstream::Access::write);
  const auto other = repository.lock_stage(base::LockMode::exclusive, 0s, world.context);
  reap_options.now = true;
  std::string what;
  what = support::refused(Errc::locked, [&] { reap(); });
  EXPECT_THAT(what, HasSubstr("pid"));
  support::refused(Errc::locked, [&] { find(); });
}

/// Two streams whose `data` is a symlink to one pool: the layout of the established README.
class Pool : public Janitor {
 protected:
  void SetUp() override {
    Janitor::SetUp();
    base::make_directories(world.path("data"));
    for (const auto* stream : {"daily", "releases"}) {
      base::make_directories(world.path(stream));
      ASSERT_EQ(::symlink("../data", world.path(std::string(stream) + "/data").c_str()), 0);
    }
    publish("daily", {{"1", {"data/d/1", "data/shared"}}});
    publish("releases", {{"1", {"data/r/1", "data/shared"}}});
    world.write("data/old/1", "x");
    find_options.data_d = reap_options.data_d = world.path("data");
    find_options.streams = {world.path("daily/streams/v1/*.json"),
                            world.path("releases/streams/v1/*.json")};
    reap_options.now = true;
  }
};

TEST_F(Pool, FilesThatAnyOfItsStreamsNamesStay) {
  find();
  EXPECT_EQ(recorded(), io::Json({{"old/1", stamp()}}));
  EXPECT_THAT(reap().reaped, SizeIs(1));
  for (const auto* live : {"data/d/1", "data/r/1", "data/shared"}) {
    EXPECT_TRUE(exists(live)) << live;
  }
  EXPECT_FALSE(exists("data/streams")) << "a pool is no stream";
}

TEST_F(Pool, WhatOneStreamNamesAgainStays) {
  find();
  publish("releases", {{"1", {"data/r/1"}}, {"2", {"data/old/1"}}});
  EXPECT_THAT(paths(reap().named), ElementsAre("old/1"));
  EXPECT_TRUE(exists("data/old/1"));
}

TEST_F(Pool, TheJanitorHoldsTheLockOfEveryStream) {
  find();
  for (const auto* stream : {"daily", "releases"}) {
    const sstream::Repository repository(world.path(stream), sstream::Access::write);
    const auto stager = repository.lock_stage(base::LockMode::shared, 0s, world.context);
    std::string what;
    what = support::refused(Errc::locked, [&] { reap(); });
    EXPECT_THAT(what, HasSubstr(stream));
  }
  EXPECT_TRUE(exists("data/old/1"));
}

TEST_F(Pool, AListThatDoesNotNameItsStreamsIsRefusedWhereStreamsStandBeside) {
  find();
  base::unlink_at(AT_FDCWD, find_options.orphans + ".state");
  std::string what;
  what = support::refused(Errc::refused, [&] { reap(); });
  EXPECT_THAT(what, HasSubstr("find-orphans"));
  reap_options.streams = {world.path("daily"), world.path("releases")};
  EXPECT_THAT(reap().reaped, SizeIs(1));
}

TEST_F(Pool, WithoutAStreamNothingIsFound) {
  find_options.streams.clear();
  support::refused(Errc::usage, [&] { find(); });
  find_options.streams = {world.path("nosuch/*.json")};
  support::refused(Errc::not_found, [&] { find(); });
  find_options.streams = {world.path("data")};
  support::refused(Errc::usage, [&] { find(); });
  find_options.streams = {"https://example.com/streams/v1/index.json"};
  support::refused(Errc::usage, [&] { find(); });
}

TEST_F(Janitor, LinksArentFollowedNorRecordedAndKeepWhatTheyPointTo) {
  start({"old/1", "kept/by/link", "kept/by/tree/file"});
  world.write("outside/file", "x");
  ASSERT_EQ(::symlink("kept/by/link", world.path("repo/one").c_str()), 0);
  ASSERT_EQ(::symlink("kept/by/tree", world.path("repo/tree").c_str()), 0);
  ASSERT_EQ(::symlink("../outside", world.path("repo/out").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere", world.path("repo/dangling").c_str()), 0);
  EXPECT_THAT(find().special, SizeIs(4));
  EXPECT_EQ(recorded(), io::Json({{"old/1", stamp()}}));
}

TEST_F(Janitor, AnotherStreamBelowIsLeftAlone) {
  start();
  publish("repo/inner", {{"1", {"b/1"}}});
  world.write("repo/inner/old", "x");
  EXPECT_THAT(find().special, ElementsAre("inner/"));
  EXPECT_EQ(recorded(), io::Json({{"old/1", stamp()}}));
  find_options.streams = {world.path("repo"), world.path("repo/inner")};
  find();
  EXPECT_EQ(recorded(), io::Json({{"old/1", stamp()}, {"inner/old", stamp()}}));
}

TEST_F(Janitor, TheListItselfIsNoOrphan) {
  start();
  find_options.orphans = world.path("repo/orphans.json");
  find();
  find();
  EXPECT_EQ(world.read_json("repo/orphans.json"), io::Json({{"old/1", stamp()}}));
}

TEST_F(Janitor, AnAgedListIsBelieved) {
  start();
  find();
  record({{"old/1", stamp(days(4))}});  // as an operator, or the established tool, may write it
  EXPECT_THAT(reap().reaped, SizeIs(1));
}

TEST_F(Janitor, FilesOfAHeldVersionOutliveItsMetadata) {
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  const sstream::Repository repository(world.path("repo"), sstream::Access::write);
  sstream::Holds holds;
  sstream::Hold hold;
  hold.product = support::janitor_product;
  hold.version = "2";
  hold.since = world.clock.now();
  hold.until = world.clock.now() + days(30);
  hold.paths = {"a/2"};
  holds.add(hold);
  holds.save(repository);
  publish("repo", {{"1", {"a/1"}}});
  forget_history({{"1", {"a/1"}}});
  find();
  EXPECT_EQ(recorded(), io::Json::object());
  record({{"a/2", stamp(days(9))}});
  reap_options.now = true;
  EXPECT_THAT(paths(reap().named), ElementsAre("a/2"));
  world.clock.advance(days(31));
  find();
  EXPECT_THAT(reap().reaped, SizeIs(1)) << "the hold has ended";
}

}  // namespace

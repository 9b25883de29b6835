#include "meph2/image/stage_store.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/support/gpg_home.h"
#include "tests/support/no_network.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using meph2::image::StageInputs;
using meph2::image::StageOutcome;
using meph2::image::StageStore;
using testing::ElementsAre;
using testing::HasSubstr;

/// Builds of one stage, each of which dies (its store goes without forget()).
class Stages : public testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  void write(const std::string& name, const std::string& text) const {
    auto file = base::open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(text);
    file.close();
  }

  static StageInputs inputs(const std::string& source = "a", bool layer = false) {
    return {"squashfs", Json{{"source", source}}, std::chrono::hours(24), layer};
  }

  StageOutcome run(StageStore& store, const StageInputs& inputs) {
    return store.run(inputs, "squashfs", path(base::cat("made-", runs_)), {}, [&] {
      const auto made = path(base::cat("made-", runs_));
      ++runs_;
      write(made + "/squashfs", "bytes");
      base::make_directories(made + "/below");
      write(made + "/below/file", "more");
      return Json{{"version", "1"}};
    });
  }

  /// One build that dies after the stage.
  StageOutcome build(const StageInputs& inputs, bool resume = true) {
    StageStore store(path("stages"), resume, context_);
    return run(store, inputs);
  }

  /// The path of the only stage that is kept.
  std::string entry() const {
    for (const auto& name : base::list_directory(path("stages"))) {
      if (name.starts_with("squashfs-")) {
        return path("stages/" + name);
      }
    }
    ADD_FAILURE() << "nothing is kept";
    return {};
  }

  std::string last_line() const { return lines_.empty() ? "" : lines_.back(); }

  /// The stage is made anew, and for this reason.
  void expect_made(const std::string& reason) {
    const auto before = runs_;
    const auto outcome = build(inputs());
    EXPECT_EQ(runs_, before + 1) << reason;
    EXPECT_FALSE(outcome.taken);
    EXPECT_THAT(last_line(), HasSubstr(reason));
    EXPECT_EQ(base::read_file(outcome.path + "/squashfs"), "bytes");
    EXPECT_TRUE(build(inputs()).taken) << "the new one";
  }

  void change_record(const std::string& key, const Json& value) const {
    const auto record = entry() + "/stage.json";
    auto json = io::parse_json(base::read_file(record), record);
    json[key] = value;
    write(record, io::to_text(json));
  }

  support::FakeClock clock_{*base::parse_stamp("Thu, 01 Jan 2026 12:00:00 +0000")};
  int runs_ = 0;

 private:
  base::TempDir directory_{"stages-"};
  std::vector<std::string> lines_;
  base::Log log_{"test", base::LogLevel::info,
                 [this](base::LogLevel, const std::string& line) { lines_.push_back(line); }};
  base::NullProgress progress_;
  support::NoNetwork http_;

 protected:
  sstream::Context context_{clock_, log_, progress_, http_, {}};
};

TEST_F(Stages, OfABuildThatDiedAreTakenByTheNextOne) {
  EXPECT_FALSE(build(inputs()).taken);
  const auto outcome = build(inputs());
  EXPECT_TRUE(outcome.taken);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(outcome.result, (Json{{"version", "1"}}));
  EXPECT_EQ(base::read_file(outcome.path + "/squashfs"), "bytes");
  EXPECT_EQ(base::read_file(outcome.path + "/below/file"), "more");
  EXPECT_THAT(last_line(), HasSubstr("taken from an earlier build"));
}

TEST_F(Stages, OfACompleteBuildAreForgotten) {
  {
    StageStore store(path("stages"), true, context_);
    run(store, inputs());
    store.forget();
  }
  EXPECT_THAT(base::list_directory(path("stages")), ElementsAre("lock"));
  EXPECT_FALSE(build(inputs()).taken);
}

TEST_F(Stages, OfOtherInputsAreNotTaken) {
  build(inputs("a"));
  EXPECT_FALSE(build(inputs("b")).taken);
  EXPECT_TRUE(build(inputs("a")).taken);
}

TEST_F(Stages, AreNotTakenUnderTheNameOfOtherInputs) {
  build(inputs());
  change_record("whole", Json{{"inputs", {{"source", "b"}}}});
  expect_made("made from other inputs");
}

TEST_F(Stages, AreNotTakenWhenToldSo) {
  build(inputs());
  EXPECT_FALSE(build(inputs(), false).taken);
  EXPECT_THAT(last_line(), HasSubstr("told to start anew"));
  EXPECT_EQ(runs_, 2);
}

TEST_F(Stages, ThatAreOldAreNotTakenAndRemoved) {
  build(inputs());
  clock_.advance(std::chrono::hours(25));
  expect_made("too old");
  clock_.advance(std::chrono::hours(8 * 24));
  const StageStore store(path("stages"), true, context_);
  EXPECT_THAT(base::list_directory(path("stages")), ElementsAre("lock"));
}

TEST_F(Stages, FromTheFutureAreNotTaken) {
  build(inputs());
  clock_.advance(-std::chrono::hours(1));
  EXPECT_FALSE(build(inputs()).taken);
}

TEST_F(Stages, ThatAreDamagedAreNotTaken) {
  build(inputs());
  write(entry() + "/content/below/file", "m0re");
  expect_made("damaged");
  write(entry() + "/content/more", "");
  expect_made("damaged");
  base::unlink_at(AT_FDCWD, entry() + "/content/squashfs");
  expect_made("damaged");
  ASSERT_EQ(::chmod((entry() + "/content/squashfs").c_str(), 0600), 0);
  expect_made("damaged");
  base::remove_tree(entry() + "/content");
  expect_made("cannot be read");
}

TEST_F(Stages, WithDamagedRecordsAreNotTaken) {
  for (const auto* text : {"", "{", "[]", "{}"}) {
    build(inputs());
    write(entry() + "/stage.json", text);
    EXPECT_FALSE(build(inputs()).taken) << text;
  }
}

TEST_F(Stages, WithRecordsOfOtherTypesAreNotTaken) {
  for (const auto* key : {"boot", "digest", "made", "whole"}) {
    build(inputs("a", true));
    change_record(key, Json::array());
    EXPECT_FALSE(build(inputs("a", true)).taken) << key;
  }
}

/// What was kept is synced only where it is a file: the layers of another boot are nobody's word.
TEST_F(Stages, ThatAreLayersAreNotTakenAfterAnotherBoot) {
  build(inputs("file"));
  change_record("boot", "another");
  EXPECT_TRUE(build(inputs("file")).taken);
  base::remove_tree(path("stages"));
  build(inputs("layer", true));
  EXPECT_TRUE(build(inputs("layer", true)).taken);
  change_record("boot", "another");
  EXPECT_FALSE(build(inputs("layer", true)).taken);
  EXPECT_THAT(last_line(), HasSubstr("before the machine was started anew"));
}

TEST_F(Stages, ThatFailAreNotKept) {
  {
    StageStore store(path("stages"), true, context_);
    const auto fail = [&]() -> Json {
      write(path("made/squashfs"), "half");
      throw base::Error(base::Errc::failed, "no");
    };
    EXPECT_THROW(store.run(inputs(), "squashfs", path("made"), {}, fail), base::Error);
  }
  EXPECT_THAT(base::list_directory(path("stages")), ElementsAre("lock"));
}

TEST_F(Stages, ThatAreUnfinishedAreRemovedUnlessABuildRuns) {
  base::make_directories(path("stages/.new-x/entry/content"));
  base::make_directories(path("stages/squashfs-x.y/content"));
  ASSERT_EQ(::chmod(path("stages").c_str(), 0700), 0);
  {
    const StageStore first(path("stages"), true, context_);
    EXPECT_THAT(base::list_directory(path("stages")), ElementsAre("lock"));
    base::make_directories(path("stages/.new-x/entry"));
    const StageStore second(path("stages"), true, context_);
    EXPECT_THAT(base::list_directory(path("stages")), ElementsAre(".new-x", "lock"));
  }
  const StageStore third(path("stages"), true, context_);
  EXPECT_THAT(base::list_directory(path("stages")), ElementsAre("lock"));
}

TEST_F(Stages, OfTwoBuildsAtTheSameTimeDoNotMix) {
  StageStore one(path("stages"), false, context_);
  StageStore other(path("stages"), false, context_);
  const auto first = run(one, inputs());
  const auto second = run(other, inputs());
  EXPECT_NE(first.path, second.path);
  other.forget();  // the first still works there
  EXPECT_EQ(base::read_file(second.path + "/squashfs"), "bytes");
}

TEST_F(Stages, WithoutPlaceAreMadeWhereTheyAre) {
  StageStore store("", true, context_);
  EXPECT_EQ(run(store, inputs()).path, path("made-0"));
  StageStore kept(path("stages"), true, context_);
  const StageInputs unknown{"squashfs", std::nullopt};
  EXPECT_EQ(run(kept, unknown).path, path("made-1"));
  EXPECT_FALSE(run(kept, unknown).digest.has_value());
}

TEST_F(Stages, AreNotKeptWhereOthersMayWrite) {
  base::make_directories(path("open"));
  ASSERT_EQ(::chmod(path("open").c_str(), 0777), 0);
  support::refused(base::Errc::refused,
                   [&] { const StageStore store(path("open"), true, context_); });
}

}  // namespace

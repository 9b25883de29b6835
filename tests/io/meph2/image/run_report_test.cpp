#include "meph2/image/run_report.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "meph2/image/steps/packages_used.h"
#include "tests/support/gpg_home.h"
#include "tests/support/no_network.h"

namespace {

using io::Json;
using meph2::image::RunReport;
using meph2::image::StageInputs;
using meph2::image::StageStore;
using testing::HasSubstr;

class Records : public testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  void write(const std::string& name, const std::string& text) const {
    base::make_directories(path(name).substr(0, path(name).rfind('/')));
    auto file = base::open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(text);
    file.close();
  }

  static StageInputs kernel(const std::string& package) {
    StageInputs inputs{"kernel", Json{{"package", package}}};
    inputs.of = package;
    return inputs;
  }

  /// A stage that logs "said" and then fails with `reason`, unless that is empty.
  std::string run(RunReport& record, const StageInputs& inputs, const std::string& reason = {}) {
    StageStore store(path("stages"), true, context_);
    try {
      record.run(store, inputs, base::cat("kernel ", inputs.of), path("made"), {}, [&](int log) {
        if (log >= 0) {
          EXPECT_EQ(::write(log, "said\n", 5), 5);
        }
        if (!reason.empty()) {
          throw base::Error(base::Errc::failed, reason);
        }
        return result_;
      });
    } catch (const base::Error& error) {
      return error.what();
    }
    return {};
  }

  Json result_ = Json::object();

 private:
  base::TempDir directory_{"records-"};
  support::FakeClock clock_{*base::parse_stamp("Thu, 01 Jan 2026 12:00:00 +0000")};
  base::Log log_{"test", base::LogLevel::info, [](base::LogLevel, const std::string&) {}};
  base::NullProgress progress_;
  support::NoNetwork http_;
  sstream::Context context_{clock_, log_, progress_, http_, {}};
};

TEST_F(Records, OfAFailureKeepTheLogAndNameIt) {
  RunReport record(path("logs/"));
  EXPECT_EQ(run(record, kernel("a")), "");
  const auto log = path("logs/kernel-b_c.log");
  EXPECT_EQ(run(record, kernel("b/c"), "no such luck"), base::cat("no such luck; see ", log));
  EXPECT_EQ(base::read_file(log), "said\nerror: no such luck\n");
  EXPECT_EQ(base::status_of(AT_FDCWD, log).value().st_mode & 0777U, 0640U);
  const auto stages = record.report().at("stages");
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_EQ(stages[0].at("outcome"), "made");
  EXPECT_EQ(stages[0].at("log"), path("logs/kernel-a.log"));
  EXPECT_EQ(stages[1].at("label"), "kernel b/c");
  EXPECT_EQ(stages[1].at("name"), "kernel");
  EXPECT_EQ(stages[1].at("outcome"), "failed");
  EXPECT_EQ(stages[1].at("log"), log);
}

TEST_F(Records, OfACompleteBuildLeaveNoLogsButThoseOfOthers) {
  {
    RunReport record(path("logs"));
    run(record, kernel("a"), "failed");
  }
  RunReport record(path("logs"));
  run(record, kernel("a"));
  run(record, kernel("b"));
  write("logs/mine.txt", "");
  record.forget_logs();
  EXPECT_THAT(base::list_directory(path("logs")), testing::ElementsAre("mine.txt"));
  const auto report = record.report();
  for (const auto& stage : report.at("stages")) {
    EXPECT_FALSE(stage.contains("log"));
  }
  base::unlink_at(AT_FDCWD, path("logs/mine.txt"));
  record.forget_logs();
  EXPECT_FALSE(base::exists_at(AT_FDCWD, path("logs")));
}

TEST_F(Records, WriteNoLogThroughALink) {
  write("precious", "as it was");
  base::make_directories(path("logs"));
  ASSERT_EQ(::symlink(path("precious").c_str(), path("logs/kernel-a.log").c_str()), 0);
  RunReport record(path("logs"));
  run(record, kernel("a"), "failed");
  EXPECT_EQ(base::read_file(path("precious")), "as it was");
  EXPECT_THAT(base::read_file(path("logs/kernel-a.log")), HasSubstr("said"));
}

TEST_F(Records, WithoutADirectoryLogNothing) {
  RunReport record("");
  EXPECT_EQ(run(record, kernel("a"), "no such luck"), "no such luck");
  EXPECT_FALSE(record.report().at("stages")[0].contains("log"));
}

/// What a stage says of archives and packages stays with it in the store.
TEST_F(Records, NameArchivesAndPackagesOfStagesThatAreTakenAsWell) {
  const Json main{{"sha256", "2"}, {"suite", "bookworm"}, {"url", "http://a/"}};
  const Json more{{"sha256", "1"}, {"suite", "bookworm"}, {"url", "http://b/"}};
  result_ = {{"archives", {more, main}}, {"packages", {{"a", "1"}}}};
  {
    RunReport record("");
    run(record, kernel("a"));
  }
  RunReport record("");
  record.set_source("00", 4);
  run(record, kernel("a"), "would have to be made");
  result_ = {{"archives", {main}}, {"packages", {{"b", "2"}}}};
  run(record, kernel("b"));
  const auto report = record.report();
  EXPECT_EQ(report.at("stages")[0].at("outcome"), "taken");
  EXPECT_EQ(report.at("archives"), Json::array({main, more})) << "sorted, each once";
  EXPECT_EQ(report.at("packages"), (Json{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(report.at("source"), (Json{{"sha256", "00"}, {"size", 4}}));
}

TEST_F(Records, ArchivesAreKnownByTheirReleaseFiles) {
  write("deb.example_debian_dists_a_InRelease", "signed");
  write("deb.example_x%5fy_._Release", "flat");
  const auto line = [&](const std::string& url, const std::string& suite, const std::string& key,
                        const std::string& file) {
    return base::cat(url, "\t", suite, "\t", key, "\t", "/", file, "\n");
  };
  const auto found = meph2::image::read_archives(
      meph2::image::ImageRoot(base::open_directory(path("."))),
      line("http://deb.example/x_y/", "./", "Packages", "deb.example_x%5fy_._Packages") +
          line("http://me:secret@deb.example/debian/", "a", "main/binary-amd64/Packages",
               "deb.example_debian_dists_a_main_binary-amd64_Packages.lz4") +
          line("http://me:secret@deb.example/debian/", "a", "a_b/binary-amd64/Packages",
               "deb.example_debian_dists_a_a%5fb_binary-amd64_Packages") +
          line("http://deb.example/gone/", "a", "main/Packages", "gone_main_Packages") +
          "nonsense\n");
  ASSERT_EQ(found.size(), 2U) << found;
  EXPECT_THAT(found[0].at("url").get<std::string>(), testing::Not(HasSubstr("secret")));
  EXPECT_EQ(found[0].at("suite"), "a");
  EXPECT_EQ(found[0].at("sha256"), io::digest_hex(io::Algorithm::sha256, "signed"));
  EXPECT_EQ(found[1], (Json{{"sha256", io::digest_hex(io::Algorithm::sha256, "flat")},
                            {"suite", "./"},
                            {"url", "http://deb.example/x_y/"}}));
}

TEST_F(Records, VersionsAreThoseOfInstalledPackages) {
  std::vector<meph2::image::Package> packages(3);
  packages[0].name = "gone";
  packages[0].version = "0";
  packages[1].name = "linux";
  packages[1].version = "6.1";
  packages[1].installed = true;
  packages[2].name = "hello";
  packages[2].version = "2";
  packages[2].installed = true;
  EXPECT_EQ(meph2::image::versions_of({"linux/proposed", "hello=2", "gone", "none"}, packages),
            (Json{{"hello", "2"}, {"linux", "6.1"}}));
}

}  // namespace

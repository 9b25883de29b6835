#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "tests/e2e/image/builder.h"

namespace {

using builder_test::build;
using builder_test::exists;
using builder_test::pack_option;
using builder_test::roots;
using builder_test::RunningBuilder;
using testing::HasSubstr;

/// Builds that are killed and continued.
class Resumed : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT_FS(); }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  std::vector<std::string> words(const std::string& out, const std::string& source) const {
    return {"--no-gzip",
            "--compression=gzip",
            builder_test::quick_conf,
            "--manifest=" + path(out + "/manifest"),
            source,
            path(out + "/root-image.gz")};
  }

  /// With a kernel, and with the stages of builds that died.
  std::vector<std::string> resumable(const std::string& source) const {
    auto argv = words("out", source);
    argv.insert(argv.begin(), {"--stages=" + path("stages"), "--logs=" + path("logs"),
                               "--report=" + path("report")});
    argv.push_back(pack_option("linux-image-cloud-amd64", path("out")));
    return argv;
  }

  /// Kills a build once `sign` is there below its directory.
  void kill_at(const std::vector<std::string>& argv, const std::string& sign) const {
    base::remove_tree(path("out"));  // what the last one left would be taken for this one's
    RunningBuilder builder(argv);
    EXPECT_TRUE(builder.wait_until_exists(path("out/.cloudimg2eph2-*/" + sign))) << sign;
    const auto family = builder.family();
    builder.kill(SIGKILL);
    EXPECT_EQ(builder.wait(), 128 + SIGKILL) << sign;
    EXPECT_TRUE(builder_test::all_gone(family)) << sign;
    EXPECT_FALSE(exists(path("out/squashfs"))) << sign;
  }

  /// How many stages of this name are kept.
  std::size_t kept(const std::string& stage) const {
    std::size_t count = 0;
    for (const auto& name : base::list_directory(path("stages"))) {
      count += name.starts_with(stage + "-") ? 1U : 0U;
    }
    return count;
  }

  /// "source prepare", say: the stages of which one is kept.
  std::string all_kept() const {
    std::string out;
    for (const auto* stage : {"source", "prepare", "kernel"}) {
      if (kept(stage) > 0) {
        out += base::cat(out.empty() ? "" : " ", stage);
      }
    }
    return out;
  }

  std::string kept_content(const std::string& stage) const {
    for (const auto& name : base::list_directory(path("stages"))) {
      if (name.starts_with(stage + "-")) {
        return path(base::cat("stages/", name, "/content"));
      }
    }
    return {};
  }

  void expect_equal(const std::string& one, const std::string& other) const {
    for (const auto* name : {"squashfs", "manifest", "linux-image-cloud-amd64/boot-kernel",
                             "linux-image-cloud-amd64/boot-initrd"}) {
      EXPECT_TRUE(base::read_file(path(base::cat(one, "/", name))) ==
                  base::read_file(path(base::cat(other, "/", name))))
          << name << " differs";
    }
  }

  void damage(const std::string& file) const {
    auto opened = base::open_file(file, O_WRONLY | O_APPEND);
    opened.write("x");
    opened.close();
  }

 private:
  base::TempDir directory_{"resumed-"};
  builder_test::LocalArchive archive_;
};

TEST_F(Resumed, BuildGivesTheBytesOfAnUndisturbedOne) {
  auto undisturbed = words("whole", roots().local_tar);
  undisturbed.push_back(pack_option("linux-image-cloud-amd64", path("whole")));
  ASSERT_EQ(build(undisturbed).status, 0);
  const auto argv = resumable(roots().local_tar);
  kill_at(argv, "made-source/squashfs");
  EXPECT_EQ(all_kept(), "");
  kill_at(argv, "prepare/upper/var/lib/apt/lists/*_Packages*");
  EXPECT_EQ(all_kept(), "source");
  kill_at(argv, "kernel-0/upper/usr/lib/modules");
  EXPECT_EQ(all_kept(), "source prepare");
  EXPECT_THAT(base::read_file(path("logs/kernel-linux-image-cloud-amd64.log")),
              HasSubstr("install linux-image-cloud-amd64\n"))
      << "of a build that was killed";
  const auto outcome = build(argv);
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("stage source: taken"), HasSubstr("stage prepared layer: taken"),
                    HasSubstr("stage kernel linux-image-cloud-amd64: made (new)")));
  expect_equal("out", "whole");
  EXPECT_FALSE(exists(path("logs"))) << "those of the builds that were killed as well";
  const auto report = io::parse_json(base::read_file(path("report")), "report");
  EXPECT_EQ(report.at("stages")[1].at("outcome"), "taken");
  EXPECT_FALSE(report.at("archives").empty()) << "of a stage that was taken";
  EXPECT_TRUE(report.at("packages").contains("linux-image-cloud-amd64"));
  EXPECT_THAT(base::list_directory(path("stages")), testing::ElementsAre("lock"));
  EXPECT_THAT(base::list_directory(path("out")),
              testing::ElementsAre("linux-image-cloud-amd64", "manifest", "squashfs"));
}

/// A source that changed, and a layer that was damaged, after a build was killed in its kernel.
TEST_F(Resumed, BuildTakesNothingThatIsDamagedOrOfAnotherSource) {
  const auto argv = resumable(roots().local_squashfs);
  kill_at(argv, "kernel-0/upper/usr/lib/modules");
  ASSERT_EQ(kept("prepare"), 1U);
  damage(kept_content("prepare") + "/upper/var/lib/dpkg/status");
  kill_at(argv, "prepare/upper/var/lib/apt/lists/*_Packages*");
  EXPECT_EQ(kept("prepare"), 0U) << "the damaged one was set aside, before the work began";
  kill_at(argv, "kernel-0/upper/usr/lib/modules");
  ASSERT_EQ(kept("prepare"), 1U);
  auto from = base::open_file(roots().local_squashfs, O_RDONLY);
  const auto to = base::open_directory(path(""));
  base::clone_file(from, to.fd(), "other", false);
  damage(path("other"));
  kill_at(resumable(path("other")), "prepare/upper/var/lib/apt/lists/*_Packages*");
  EXPECT_EQ(kept("prepare"), 1U) << "that of the first source";
}

/// What the new root's squashfs and its kernels are made of is one and the same layer.
TEST_F(Resumed, BuildWithAChangedRootGoesOnWithItsLayer) {
  auto argv = words("out", roots().local_squashfs);
  argv.insert(argv.begin(), {"--stages=" + path("stages"), "--pre-purge-packages=ca-certificates"});
  kill_at(argv, "adjust/upper/var/lib/dpkg");
  EXPECT_EQ(kept("adjust"), 0U);
  kill_at(argv, "made-squashfs/squashfs");
  EXPECT_EQ(kept("adjust"), 1U);
  EXPECT_EQ(kept("squashfs"), 0U);
  const auto layer = base::read_file(kept_content("adjust") + "/upper/var/lib/dpkg/status");
  const auto outcome = build(argv);
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("stage adjust layer: taken"));
  EXPECT_THAT(outcome.error, HasSubstr("stage squashfs: made (new)"));
  builder_test::output_of({"unsquashfs", "-no-progress", "-d", path("un"), path("out/squashfs"),
                           "var/lib/dpkg/status"});
  EXPECT_EQ(base::read_file(path("un/var/lib/dpkg/status")), layer);
  EXPECT_THAT(base::list_directory(path("stages")), testing::ElementsAre("lock"));
}

/// Made first where one thing is done at a time: gzip takes its time, which is not spent twice.
TEST_F(Resumed, BuildTakesARootImageThatIsWhole) {
  auto argv = resumable(roots().local_squashfs);
  std::erase(argv, "--no-gzip");
  argv.insert(argv.begin(), {"--jobs=1", "--root-image-size=400M"});
  kill_at(argv, "made-root-image/root-image");
  EXPECT_EQ(kept("root-image"), 0U);
  kill_at(argv, "prepare/upper/var/lib/apt/lists/*_Packages*");
  ASSERT_EQ(kept("root-image"), 1U);
  const auto image = base::read_file(kept_content("root-image") + "/root-image.gz");
  const auto outcome = build(argv);
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("stage root image: taken"));
  EXPECT_TRUE(base::read_file(path("out/root-image.gz")) == image);
  EXPECT_THAT(base::list_directory(path("stages")), testing::ElementsAre("lock"));
}

}  // namespace

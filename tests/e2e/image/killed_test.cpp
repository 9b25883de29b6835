#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/e2e/image/builder.h"

namespace {

using builder_test::all_gone;
using builder_test::exists;
using builder_test::no_loops;
using builder_test::pack_option;
using builder_test::roots;
using builder_test::RunningBuilder;

/// Where a build is stopped: once this is there, the stage is in the middle of its work.
struct Place {
  const char* name;
  const char* sign;
  bool tar;
};

std::ostream& operator<<(std::ostream& out, const Place& place) {
  return out << place.name;
}

class Killed : public testing::TestWithParam<Place> {
 protected:
  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  std::vector<std::string> words() const {
    auto argv = std::vector<std::string>{"--no-gzip",
                                         "--compression=gzip",
                                         builder_test::quick_conf,
                                         "--manifest=" + path("out/manifest"),
                                         source_,
                                         path("out/root-image.gz")};
    if (!GetParam().tar) {
      argv.push_back(pack_option("linux-image-cloud-amd64", path("out")));
    }
    return argv;
  }

  void SetUp() override {
    REQUIRE_ROOT_FS();
    // A copy of its own, so that its loop devices can be told from others'.
    source_ = path("source");
    auto from =
        base::open_file(GetParam().tar ? roots().local_tar : roots().local_squashfs, O_RDONLY);
    const auto to = base::open_directory(directory_.path());
    base::clone_file(from, to.fd(), "source", false);
  }

  /// Stops a build in the middle of the stage and looks at what is left.
  int stop(int signal) {
    if (std::string_view(GetParam().name) == "downloading") {
      archive_.stall_kernel_once();
    }
    RunningBuilder builder(words());
    EXPECT_TRUE(
        builder.wait_until_exists(path(base::cat("out/.cloudimg2eph2-*/", GetParam().sign))));
    const auto family = builder.family();
    EXPECT_GE(family.size(), 2U) << "no stage was running";
    builder.kill(signal);
    const int status = builder.wait();
    EXPECT_TRUE(all_gone(family)) << "processes left";
    EXPECT_TRUE(no_loops(directory_.path())) << "a loop device is left";
    EXPECT_FALSE(exists(path("out/squashfs")));
    EXPECT_FALSE(exists(path("out/manifest")));
    EXPECT_FALSE(exists(path("out/linux-image-cloud-amd64")));
    return status;
  }

  std::vector<std::string> left() const { return base::list_directory(path("out")); }

 private:
  base::TempDir directory_{"killed-"};
  builder_test::LocalArchive archive_;
  std::string source_;
};

TEST_P(Killed, ByTerm) {
  EXPECT_EQ(stop(SIGTERM), 128 + SIGTERM);
  EXPECT_TRUE(left().empty());
}

TEST_P(Killed, ByKill) {
  EXPECT_EQ(stop(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(left().size(), 1U) << "the work of the killed build";
  const auto outcome = builder_test::build(words());
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  for (const auto& name : left()) {
    EXPECT_FALSE(name.starts_with(".")) << name << " was not swept";
  }
  EXPECT_TRUE(exists(path("out/squashfs")));
}

INSTANTIATE_TEST_SUITE_P(
    InStage, Killed,
    testing::Values(Place{"squashing", "made-source/squashfs", true},
                    Place{"preparing", "prepare/upper/var/lib/apt/lists/*_Packages*", false},
                    Place{"downloading", "prepare/upper/var/cache/apt/archives/partial/linux-*",
                          false},
                    Place{"installing", "kernel-0/upper/usr/lib/modules", false}),
    testing::PrintToStringParamName());

}  // namespace

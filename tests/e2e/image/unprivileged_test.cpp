#include "meph2/image/sandbox/unprivileged.h"

#include <csignal>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/e2e/image/builder.h"

namespace {

using builder_test::build;
using builder_test::output_of;
using builder_test::pack_option;
using builder_test::roots;
using testing::HasSubstr;

base::Outcome run(const std::vector<std::string>& argv) {
  base::Command command;
  command.argv = argv;
  command.capture_output = true;
  command.capture_error = true;
  return base::run(command);
}

std::string missing_here() {
  auto facts = meph2::image::read_unprivileged_facts();
  facts.user = "someone";
  facts.subuid = facts.subgid = "someone:100000:65536";
  return base::join(missing_for_unprivileged(facts), "; ");
}

#define REQUIRE_USER_NAMESPACES() \
  if (!missing_here().empty())    \
  GTEST_SKIP() << "SKIPPED: " << missing_here()

/// An account for one test, with subordinate ids or without, and what it may read and write.
class Unprivileged : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT_FS();
    ASSERT_EQ(::chmod(place_.path().c_str(), 0755), 0);
    output_of({"cp", BINARY_DIR "/maas-cloudimg2eph2", place_.path()});
    output_of({"cp", FIXTURES "/builder/quick.yaml", path("builder.yaml")});
    output_of({"cp", roots().local_squashfs, path("bookworm.squashfs")});
    output_of({"chmod", "-R", "a+rX", place_.path()});
  }

  void TearDown() override {
    if (made_) {
      output_of({"userdel", user_});
    }
  }

  void make_account(bool subordinate_ids) {
    output_of({"useradd", "--no-create-home", "--key",
               base::cat("SUB_UID_COUNT=", subordinate_ids ? 65536 : 0), "--key",
               base::cat("SUB_GID_COUNT=", subordinate_ids ? 65536 : 0), user_});
    made_ = true;
    base::make_directories(path("out"));
    output_of({"chown", user_, path("out")});
  }

  std::string path(const std::string& name) const { return base::cat(place_.path(), "/", name); }

  std::vector<std::string> words(const std::string& out) const {
    return {"--no-gzip",
            "--conf=" + path("builder.yaml"),
            "--manifest=" + path(out + "/manifest"),
            path("bookworm.squashfs"),
            path(out + "/root-image.gz"),
            pack_option("linux-image-cloud-amd64", path(out))};
  }

  std::vector<std::string> as_account() const {
    return {"env",
            "-u",
            "TMPDIR",
            "setpriv",
            "--reuid=" + user_,
            "--regid=" + user_,
            "--clear-groups",
            path("maas-cloudimg2eph2")};
  }

  base::Outcome build_as_account() const {
    auto argv = as_account();
    const auto more = words("out");
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv);
  }

 private:
  base::TempDir place_{"unprivileged-", "/tmp"};
  builder_test::LocalArchive archive_;
  std::string user_ = base::cat("m2e", ::getpid());
  bool made_ = false;
};

TEST_F(Unprivileged, BuildMakesTheBytesThatRootMakes) {
  make_account(true);
  REQUIRE_USER_NAMESPACES();
  const auto outcome = build_as_account();
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  const auto by_root = build(words("root"));
  ASSERT_EQ(by_root.status, 0) << by_root.error;
  for (const auto* name : {"squashfs", "manifest", "linux-image-cloud-amd64/boot-kernel",
                           "linux-image-cloud-amd64/boot-initrd"}) {
    EXPECT_TRUE(base::read_file(path(base::cat("out/", name))) ==
                base::read_file(path(base::cat("root/", name))))
        << name << " differs";
  }
  EXPECT_THAT(base::list_directory(path("out")),
              testing::ElementsAre("linux-image-cloud-amd64", "manifest", "squashfs"));
  EXPECT_THAT(base::read_file("/proc/self/mounts"), testing::Not(HasSubstr(path("out"))));
}

// Nothing is mounted for it, so that no namespace is needed either.
TEST_F(Unprivileged, RootImageIsMadeByAnybody) {
  make_account(false);
  base::make_directories(path("tree/dev"));
  output_of({"mknod", path("tree/dev/sda"), "b", "8", "0"});
  output_of({"mksquashfs", path("tree"), path("small"), "-quiet", "-no-progress"});
  auto argv = as_account();
  argv.insert(argv.end(),
              {"--no-squashfs", "--root-image-size=32M", path("small"), path("out/root-image.gz")});
  const auto outcome = run(argv);
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  output_of({"gunzip", path("out/root-image.gz")});
  EXPECT_THAT(output_of({"debugfs", "-R", "stat /dev/sda", path("out/root-image")}),
              HasSubstr("Type: block special"));
}

TEST_F(Unprivileged, BuildThatIsKilledLeavesNoProcess) {
  make_account(true);
  REQUIRE_USER_NAMESPACES();
  builder_test::RunningBuilder builder(words("out"), as_account());
  EXPECT_TRUE(builder.wait_until_exists(
      path("out/.cloudimg2eph2-*/prepare/upper/var/lib/apt/lists/*_Packages*")));
  const auto family = builder.family();
  EXPECT_GE(family.size(), 2U) << "no stage was running";
  builder.kill(SIGKILL);
  EXPECT_EQ(builder.wait(), 128 + SIGKILL);
  EXPECT_TRUE(builder_test::all_gone(family)) << "processes left";
  EXPECT_EQ(base::list_directory(path("out")).size(), 1U) << "the work of the killed build";
}

TEST_F(Unprivileged, BuildWithoutSubordinateIdsIsRefusedAndSaysWhatToMend) {
  make_account(false);
  const auto outcome = build_as_account();
  EXPECT_EQ(outcome.status, 6);
  EXPECT_THAT(outcome.error, HasSubstr("/etc/subuid gives"));
  EXPECT_THAT(outcome.error, HasSubstr("usermod --add-subuids"));
  EXPECT_TRUE(base::list_directory(path("out")).empty());
}

TEST_F(Unprivileged, IsRefusedForRoot) {
  auto argv = words("root");
  argv.insert(argv.begin(), "--unprivileged");
  const auto outcome = build(argv);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.error, HasSubstr("--unprivileged: root is not without privileges"));
}

}  // namespace

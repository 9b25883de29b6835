#include "meph2/installer/netboot_mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/io/meph2/installer/world.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using world::InstallerWorld;

const std::string stream_file = "out/streams/v1/com.ubuntu.installer:released:netboot.json";

class NetbootMirrorTest : public testing::Test {
 protected:
  NetbootMirrorTest() {
    options_.installer.mirrors = {world::archive_url};
    options_.installer.keyring = world_.keyring();
    options_.releases = {"xenial"};
    options_.arches = {"amd64"};
    options_.target = world_.path("out");
    options_.publish.action = "netboot-mirror";
    options_.publish.create = true;
    options_.publish.sign = false;
  }

  void offer(const std::string& version) {
    world_.offer("xenial", "amd64", version, world::amd64_files);
    world_.sign_suite("xenial");
  }

  void withdraw(const std::string& version) {
    std::erase_if(world_.http.files, [&](const auto& file) {
      return file.first.find("/" + version + "/") != std::string::npos;
    });
    world_.sign_suite("xenial");
  }

  meph2::NetbootMirrorResult run() { return meph2::netboot_mirror(options_, world_.context()); }

  std::vector<std::string> versions() const {
    std::vector<std::string> names;
    const auto stream = world_.json(stream_file);
    for (const auto& [name, node] :
         stream["products"]["com.ubuntu.installer:netboot:16.04:amd64"]["versions"].items()) {
      names.push_back(name);
    }
    return names;
  }

  InstallerWorld world_;
  meph2::NetbootMirrorOptions options_;
};

TEST_F(NetbootMirrorTest, PublishesAProductForEachReleaseAndArch) {
  offer("20101020ubuntu451");
  const auto result = run();
  EXPECT_TRUE(result.published.changed);
  EXPECT_EQ(result.items.size(), 2U);
  const auto stream = world_.json(stream_file);
  EXPECT_EQ(stream["content_id"], "com.ubuntu.installer:released:netboot");
  const auto& product = stream["products"]["com.ubuntu.installer:netboot:16.04:amd64"];
  EXPECT_EQ(product["arch"], "amd64");
  EXPECT_EQ(product["release"], "xenial");
  EXPECT_EQ(product["release_title"], "16.04 LTS");
  const auto& version = product["versions"]["20101020ubuntu451"];
  const auto& kernel = version["items"]["xenial-generic-kernel.default"];
  EXPECT_EQ(kernel["path"], "files/xenial/amd64/20101020ubuntu451/xenial/generic/kernel.default");
  EXPECT_EQ(kernel["ftype"], "kernel");
  EXPECT_EQ(kernel["basename"], "linux");
  const auto text = world::content_of("xenial", "amd64", "20101020ubuntu451",
                                      "netboot/ubuntu-installer/amd64/linux");
  EXPECT_EQ(world_.read("out/" + kernel["path"].get<std::string>()), text);
  EXPECT_EQ(kernel["size"], text.size());
  EXPECT_EQ(version["items"]["xenial-generic-initrd.default"]["initrd-flavor"], "netboot");
}

TEST_F(NetbootMirrorTest, ASecondRunChangesNothing) {
  offer("20101020ubuntu451");
  run();
  const auto before = world_.tree("out");
  EXPECT_FALSE(run().published.changed);
  EXPECT_EQ(world_.tree("out"), before);
}

TEST_F(NetbootMirrorTest, AllArchesOfAnArchive) {
  struct Tree {
    const char* arch;
    std::vector<std::string> paths;
    std::vector<std::string> items;
  };

  const std::vector<Tree> trees{
      {"amd64",
       world::amd64_files,
       {"xenial-generic-initrd.default", "xenial-generic-kernel.default"}},
      {"i386",
       {"netboot/ubuntu-installer/i386/linux", "netboot/non-pae/ubuntu-installer/i386/linux"},
       {"xenial-generic-kernel.default", "xenial-non-pae-kernel.default"}},
      {"arm64",
       {"hwe-netboot/ubuntu-installer/arm64/linux", "device-tree/juno.dtb",
        "netboot/ubuntu-installer/arm64/xgene-uboot/uImage"},
       {"hwe-generic-kernel.default", "xenial-generic-dtb.juno.dtb",
        "xenial-generic-kernel.xgene"}},
      {"armhf",
       {"generic-lpae/netboot/vmlinuz", "generic/netboot/tegra/tegra20-paz00.dtb",
        "generic/netboot/wandboard/uInitrd", "hwe-generic/netboot/initrd.gz"},
       {"hwe-generic-initrd.default", "xenial-generic-dtb.tegra20-paz00.dtb",
        "xenial-generic-initrd.wandboard", "xenial-generic-lpae-kernel.default"}},
      {"powerpc",
       {"powerpc64/netboot/vmlinux", "e500mc/netboot/initrd.gz"},
       {"xenial-e500mc-initrd.default", "xenial-powerpc64-kernel.default"}},
      {"ppc64el", {"netboot/ubuntu-installer/ppc64el/vmlinux"}, {"xenial-generic-kernel.default"}},
      {"s390x",
       {"generic/kernel.ubuntu", "generic/initrd.ubuntu", "generic/kernel.debian"},
       {"xenial-generic-initrd.default", "xenial-generic-kernel.default"}},
  };
  options_.arches.clear();
  for (const auto& tree : trees) {
    world_.offer("xenial", tree.arch, "20101020ubuntu451", tree.paths);
    options_.arches.emplace_back(tree.arch);
  }
  world_.sign_suite("xenial");
  run();
  const auto stream = world_.json(stream_file);
  for (const auto& tree : trees) {
    const auto& product =
        stream["products"][base::cat("com.ubuntu.installer:netboot:16.04:", tree.arch)];
    std::vector<std::string> names;
    for (const auto& [name, item] : product["versions"]["20101020ubuntu451"]["items"].items()) {
      names.push_back(name);
    }
    EXPECT_EQ(names, tree.items) << tree.arch;
  }
}

TEST_F(NetbootMirrorTest, VersionsThatLeaveTheArchiveGoUnlessTheyAreKept) {
  offer("20101020ubuntu451");
  offer("20101020ubuntu452");
  run();
  withdraw("20101020ubuntu451");
  offer("20101020ubuntu453");
  options_.keep = true;
  options_.max = 3;
  run();
  EXPECT_THAT(versions(),
              ElementsAre("20101020ubuntu451", "20101020ubuntu452", "20101020ubuntu453"));
  options_.keep = false;
  const auto result = run();
  ASSERT_EQ(result.removed.size(), 1U);
  EXPECT_EQ(result.removed[0].version, "20101020ubuntu451");
  EXPECT_THAT(versions(), ElementsAre("20101020ubuntu452", "20101020ubuntu453"));
  options_.max = 1;
  run();
  EXPECT_THAT(versions(), ElementsAre("20101020ubuntu453"));
}

TEST_F(NetbootMirrorTest, FiltersChooseItems) {
  offer("20101020ubuntu451");
  options_.filters = {"ftype=kernel", "release=xenial", "pocket=release"};
  EXPECT_EQ(run().items.size(), 1U);
  options_.filters = {"ftype=nothing"};
  EXPECT_THROW(run(), base::Error);
}

TEST_F(NetbootMirrorTest, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  offer("20101020ubuntu451");
  options_.publish.dry_run = true;
  const auto told = run();
  EXPECT_FALSE(world_.exists("out"));
  options_.publish.dry_run = false;
  EXPECT_EQ(run().items, told.items);
}

TEST_F(NetbootMirrorTest, AnArchiveWithoutAnyIsAnError) {
  support::refused(base::Errc::not_found, [&] { run(); });
  EXPECT_FALSE(world_.exists("out"));
  offer("20101020ubuntu451");
  options_.releases = {"nosuch"};
  EXPECT_THAT(support::refused(base::Errc::usage, [&] { run(); }), HasSubstr("does not know it"));
}

TEST_F(NetbootMirrorTest, TheConfigurationNamesArchivesReleasesAndArches) {
  offer("20101020ubuntu451");
  world_.write("conf.yaml",
               base::cat("releases:\n - version: '16.04'\n   release: xenial\n   kernels:\n"
                         "    - [xenial, amd64, ga-16.04, generic, linux-generic, [generic]]\n"
                         "content_id: com.example:x:download\n"
                         "product_id_pre: com.example.x\n"
                         "di_mirrors: [",
                         world::archive_url,
                         "]\n"
                         "di_keyring: ",
                         world_.keyring(), "\n"));
  options_.config = world_.path("conf.yaml");
  options_.releases.clear();
  options_.arches.clear();
  options_.installer = {};
  run();
  EXPECT_THAT(versions(), ElementsAre("20101020ubuntu451"));
}

}  // namespace

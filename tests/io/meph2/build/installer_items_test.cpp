#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/io/meph2/installer/world.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using testing::AllOf;
using testing::HasSubstr;
using world::InstallerWorld;
using world::maas_file;

constexpr const char* config = R"(releases:
 - version: "16.04"
   release: xenial
   kernels:
    - [xenial, amd64, ga-16.04, generic, linux-generic, [generic, ga-16.04]]
    - [xenial, amd64, hwe-16.04, generic, linux-generic-hwe-16.04, [generic, hwe-16.04]]
    - [hwe, amd64, hwe-16.04-edge, generic, linux-generic-hwe-16.04-edge, [generic, hwe-16.04]]
    - [xenial, amd64, ga-16.04, lowlatency, linux-lowlatency, [generic, ga-16.04]]
    - [xenial, arm64, ga-16.04, generic, linux-generic, [generic, ga-16.04]]
    - [xenial, arm64, xgene-uboot-mustang, generic, linux-generic, [xgene-uboot],
       {suffix: .xgene, di-format: xgene, dtb: apm-mustang.dtb}]
squashfs: True
enable_di: True
di_mirrors: {default: http://archive.test/ubuntu, s390x: [http://one.test, http://two.test]}
di_pockets: [-updates]
content_id: com.ubuntu.maas:candidate:v3:download
product_id_pre: com.ubuntu.maas.candidate:v3:boot
kname: '%(subarch)s'
)";

const std::string version = "20101020ubuntu451";
const std::string update = "20101020ubuntu451.30";

class InstallerItemsTest : public testing::Test {
 protected:
  InstallerItemsTest() {
    world_.write("conf.yaml", config);
    auto paths = world::amd64_files;
    world_.offer("xenial", "amd64", version, paths);
    paths.insert(paths.end(), {"hwe-netboot/ubuntu-installer/amd64/initrd.gz",
                               "hwe-netboot/ubuntu-installer/amd64/linux"});
    world_.offer("xenial-updates", "amd64", update, paths);
    world_.offer(
        "xenial-updates", "arm64", update,
        {"device-tree/apm-mustang.dtb", "device-tree/juno.dtb",
         "netboot/ubuntu-installer/arm64/initrd.gz", "netboot/ubuntu-installer/arm64/linux",
         "netboot/ubuntu-installer/arm64/xgene-uboot/uImage",
         "netboot/ubuntu-installer/arm64/xgene-uboot/uInitrd"});
    world_.sign_suite("xenial");
    world_.sign_suite("xenial-updates");
  }

  meph2::BuildImageOptions options(const std::string& arch = "amd64") {
    auto built = world::build_options(world_);
    built.config = world_.path("conf.yaml");
    built.request.release = "xenial";
    built.request.arch = arch;
    built.installer.keyring = world_.keyring();
    return built;
  }

  meph2::BuildImageResult build(const meph2::BuildImageOptions& options) {
    return meph2::build_image(options, world_.context());
  }

  base::Error error_of(const meph2::BuildImageOptions& options) {
    return support::refused([&] { build(options); });
  }

  /// The items of the version of "ARCH:SUBARCH".
  Json items(const std::string& product) const {
    return world_.json("out/" + maas_file)["products"]["com.ubuntu.maas.candidate:v3:boot:16.04:" +
                                                       product]["versions"]["20240501"]["items"];
  }

  /// The file is there, and is what the archive has of `path`.
  void expect_file(const Json& item, const std::string& arch, const std::string& path) {
    const auto text = world::content_of("xenial-updates", arch, update, path);
    EXPECT_EQ(world_.read("out/" + item["path"].get<std::string>()), text);
    EXPECT_EQ(item["size"], text.size());
    EXPECT_EQ(item["sha256"], io::digest_hex(io::Algorithm::sha256, text));
  }

  InstallerWorld world_;
};

TEST_F(InstallerItemsTest, ProductsGetTheKernelsOfTheNewestInstaller) {
  build(options());
  const auto ga = items("amd64:ga-16.04");
  const auto& kernel = ga["di-kernel"];
  EXPECT_EQ(kernel["path"], "xenial/amd64/di/20101020ubuntu451.30/xenial/generic/di-kernel");
  EXPECT_EQ(kernel["ftype"], "di-kernel");
  EXPECT_EQ(kernel["di_version"], update);
  expect_file(kernel, "amd64", "netboot/ubuntu-installer/amd64/linux");
  expect_file(ga["di-initrd"], "amd64", "netboot/ubuntu-installer/amd64/initrd.gz");
  EXPECT_FALSE(ga.contains("di-dtb"));
  EXPECT_EQ(items("amd64:hwe-16.04")["di-kernel"], kernel) << "of the same release and flavor";
  const auto hwe = items("amd64:hwe-16.04-edge");
  EXPECT_EQ(hwe["di-kernel"]["path"], "xenial/amd64/di/20101020ubuntu451.30/hwe/generic/di-kernel");
  expect_file(hwe["di-kernel"], "amd64", "hwe-netboot/ubuntu-installer/amd64/linux");
}

TEST_F(InstallerItemsTest, ARowWithoutIsLoggedAndPublished) {
  build(options());
  EXPECT_THAT(world_.logged(),
              HasSubstr("ga-16.04-lowlatency: the archive has no installer for kernel xenial, "
                        "flavor lowlatency, format default; published without di-* items"));
  const auto low = items("amd64:ga-16.04-lowlatency");
  EXPECT_TRUE(low.contains("boot-kernel"));
  EXPECT_FALSE(low.contains("di-kernel"));
}

TEST_F(InstallerItemsTest, FormatSuffixAndDeviceTreeAreTheRows) {
  build(options("arm64"));
  const auto mustang = items("arm64:xgene-uboot-mustang");
  EXPECT_EQ(mustang["di-kernel"]["path"],
            "xenial/arm64/di/20101020ubuntu451.30/xenial/generic/di-kernel.xgene");
  expect_file(mustang["di-kernel"], "arm64", "netboot/ubuntu-installer/arm64/xgene-uboot/uImage");
  expect_file(mustang["di-initrd"], "arm64", "netboot/ubuntu-installer/arm64/xgene-uboot/uInitrd");
  expect_file(mustang["di-dtb"], "arm64", "device-tree/apm-mustang.dtb");
  EXPECT_EQ(mustang["di-dtb"]["path"],
            "xenial/arm64/di/20101020ubuntu451.30/xenial/generic/di-dtb.xgene");
  expect_file(items("arm64:ga-16.04")["di-kernel"], "arm64",
              "netboot/ubuntu-installer/arm64/linux");
}

TEST_F(InstallerItemsTest, WhatIsCurrentIsTakenBeforeWhatIsNewer) {
  world_.offer("xenial", "amd64", "20101020ubuntu450", world::amd64_files);
  world_.make_current("xenial", "amd64", "20101020ubuntu450");
  world_.sign_suite("xenial");
  world_.http.files.erase(world::file_url("xenial-updates/InRelease"));
  build(options());
  EXPECT_EQ(items("amd64:ga-16.04")["di-kernel"]["di_version"], "20101020ubuntu450");
}

TEST_F(InstallerItemsTest, WhereTheArchiveHasNothingNothingIsWritten) {
  world_.http.files.clear();
  const auto error = error_of(options());
  EXPECT_EQ(error.code(), base::Errc::not_found);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("no debian-installer for xenial/amd64"), HasSubstr("--disable-di")));
  EXPECT_FALSE(world_.exists("out"));
  auto without = options();
  without.enable_di = false;
  build(without);
  EXPECT_FALSE(items("amd64:ga-16.04").contains("di-kernel"));
}

TEST_F(InstallerItemsTest, OtherBytesThanPromisedArePublishedNowhere) {
  auto& kernel = world_.http.files[world::file_url(
      "xenial-updates/main/installer-amd64/20101020ubuntu451.30/images/netboot/ubuntu-installer/"
      "amd64/linux")];
  kernel[0] = 'X';
  EXPECT_EQ(error_of(options()).code(), base::Errc::untrusted);
  EXPECT_FALSE(world_.exists("out/streams/v1/index.json"));
  EXPECT_FALSE(world_.exists("out/xenial"));
}

TEST_F(InstallerItemsTest, WhatIsPublishedStaysAndAsksNobody) {
  build(options());
  const auto before = world_.tree("out");
  world_.offer("xenial-updates", "amd64", "20101020ubuntu451.31", world::amd64_files);
  world_.sign_suite("xenial-updates");
  world_.http.asked = 0;
  EXPECT_FALSE(build(options()).published.changed);
  EXPECT_EQ(world_.http.asked, 0U);
  EXPECT_EQ(world_.tree("out"), before);
}

TEST_F(InstallerItemsTest, AVersionThatWasBuiltWithoutGetsThem) {
  auto without = options();
  without.enable_di = false;
  build(without);
  world_.use_builder("exit 9\n");
  EXPECT_FALSE(build(options()).built);
  EXPECT_TRUE(items("amd64:ga-16.04").contains("di-kernel"));
  EXPECT_TRUE(items("amd64:ga-16.04").contains("boot-kernel"));
}

TEST_F(InstallerItemsTest, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  auto dry = options();
  dry.publish.dry_run = true;
  const auto told = build(dry).items;
  EXPECT_FALSE(world_.exists("out"));
  EXPECT_EQ(told, build(options()).items);
}

TEST_F(InstallerItemsTest, AnInstallerOfMd5SumsIsPublishedWithBetterOnes) {
  world_.http.files.clear();
  world_.offer("xenial-updates", "amd64", update, world::amd64_files, "images", io::Algorithm::md5);
  world_.sign_lists();
  world_.make_indexes();
  EXPECT_EQ(error_of(options()).code(), base::Errc::not_found);
  auto allowed = options();
  allowed.installer.allow_md5 = true;
  build(allowed);
  expect_file(items("amd64:ga-16.04")["di-kernel"], "amd64",
              "netboot/ubuntu-installer/amd64/linux");
}

TEST_F(InstallerItemsTest, TwoFilesUnderOneNameAreAUsageError) {
  world_.write("conf.yaml", base::replace_all(config, "suffix: .xgene, ", ""));
  const auto error = error_of(options("arm64"));
  EXPECT_EQ(error.code(), base::Errc::usage) << error.what();
}

TEST_F(InstallerItemsTest, AnImageWhoseInstallerIsMissingStopsOnlyItself) {
  auto sync =
      world::sync_options(world_, world::make_source(world_, "ci",
                                                     {{"xenial", "16.04", "amd64", "20240105"},
                                                      {"xenial", "16.04", "arm64", "20240105"}}));
  sync.config = world_.path("conf.yaml");
  sync.installer.keyring = world_.keyring();
  world_.http.files.erase(world::file_url("xenial-updates/InRelease"));
  const auto result = meph2::cloudimg_sync(sync, world_.context());
  ASSERT_EQ(result.images.size(), 2U);
  EXPECT_EQ(result.images[0].error, "");
  EXPECT_THAT(result.images[1].error, HasSubstr("no debian-installer for xenial/arm64"));
  EXPECT_EQ(
      world_.json("out/" +
                  maas_file)["products"]["com.ubuntu.maas.candidate:v3:boot:16.04:amd64:ga-16.04"]
                            ["versions"]["20240105"]["items"]["di-kernel"]["di_version"],
      version);
  world_.http.asked = 0;
  sync.arches = {"amd64"};
  EXPECT_FALSE(meph2::cloudimg_sync(sync, world_.context()).published->changed);
}

}  // namespace

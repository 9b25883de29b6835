#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/strings.h"
#include "meph2/config/stream_config.h"
#include "tests/support/refused.h"

namespace {

using meph2::parse_stream_config;
using meph2::read_stream_config;
using testing::ElementsAre;
using testing::HasSubstr;

std::string shipped(const std::string& name) {
  return base::cat(SOURCE_DIR, "/conf/", name);
}

const std::string head = "releases:\n";
const std::string tail =
    "content_id: com.ubuntu.maas:candidate:v3:download\n"
    "product_id_pre: com.ubuntu.maas.candidate:v3:boot\n"
    "squashfs: True\n";

/// A valid configuration around one release's lines.
std::string around(const std::string& release) {
  return head + release + tail;
}

const std::string noble =
    " - version: \"24.04\"\n"
    "   release: noble\n"
    "   kernels:\n"
    "    - [noble, amd64, ga-24.04, generic, linux-generic, [generic, ga-24.04]]\n";

std::string error_of(const std::string& text) {
  return support::refused(base::Errc::usage, [&] { parse_stream_config(text, "c.yaml"); });
}

TEST(StreamConfig, TheV3FileHasSeventeenReleases) {
  const auto config = read_stream_config(shipped("meph-v3.yaml"));
  ASSERT_EQ(config.releases.size(), 17U);
  EXPECT_EQ(config.releases.front().version, "26.04");
  EXPECT_EQ(config.releases.back().version, "12.04");
  EXPECT_EQ(config.content_id, "com.ubuntu.maas:candidate:v3:download");
  EXPECT_EQ(config.kname, "%(subarch)s");
  EXPECT_TRUE(config.squashfs);
  EXPECT_FALSE(config.root_image);
  EXPECT_FALSE(config.enable_di);
}

TEST(StreamConfig, TheV3FileGivesNobleSixKernelsOnAmd64) {
  const auto config = read_stream_config(shipped("meph-v3.yaml"));
  std::set<std::string> kernels;
  for (const auto& row : config.require_release("noble").kernels) {
    if (row.arch == "amd64") {
      kernels.insert(base::cat(row.subarch, " ", row.flavor, " ", row.kpackage));
    }
  }
  EXPECT_THAT(kernels, ElementsAre("ga-24.04 generic linux-generic",
                                   "ga-24.04 lowlatency linux-image-lowlatency",
                                   "hwe-24.04 generic linux-generic-hwe-24.04",
                                   "hwe-24.04 lowlatency linux-lowlatency-hwe-24.04",
                                   "hwe-24.04-edge generic linux-generic-hwe-24.04-edge",
                                   "hwe-24.04-edge lowlatency linux-lowlatency-hwe-24.04-edge"));
}

TEST(StreamConfig, TheV2FileLoads) {
  const auto config = read_stream_config(shipped("meph-v2.yaml"));
  EXPECT_EQ(config.content_id, "com.ubuntu.maas:daily:v2:download");
  EXPECT_EQ(config.kname, "%(krel)s");
  EXPECT_TRUE(config.root_image);
  EXPECT_TRUE(config.enable_di);
  const auto& precise = config.require_release("precise");
  EXPECT_EQ(precise.builtin_kernel("armhf"), "linux-highbank");
  EXPECT_EQ(precise.builtin_kernel("amd64"), "linux-generic");
}

TEST(StreamConfig, TheDebianFileHasThreeKernels) {
  const auto config = read_stream_config(shipped("debian.yaml"));
  EXPECT_EQ(config.os, "debian");
  EXPECT_EQ(config.distro_info, "debian.csv");
  EXPECT_EQ(config.squashfs_compression, "zstd");
  EXPECT_EQ(config.require_release("bookworm").kernels.size(), 3U);
}

// MAAS refuses, truncates or doubles what breaks these (a database column, a kernel's file name).
TEST(StreamConfig, WhatWeShipFitsMaas) {
  for (const auto* name : {"meph-v3.yaml", "debian.yaml"}) {
    const auto config = read_stream_config(shipped(name));
    EXPECT_THAT(config.product_id_pre, HasSubstr(":v3:"));
    EXPECT_LE(config.os.size(), 20U);
    for (const auto& release : config.releases) {
      for (const auto& row : release.kernels) {
        const auto psubarch = row.subarch + "-" + row.flavor;
        EXPECT_LE(psubarch.size(), 32U) << psubarch;
        EXPECT_EQ(base::join(row.subarches, ",").find(' '), std::string::npos);
        if (row.flavor != "generic" && row.flavor != row.subarch) {
          EXPECT_EQ(row.subarch.find(row.flavor), std::string::npos) << row.where;
        }
      }
    }
  }
}

TEST(StreamConfig, AnchorsAliasesAndSeventhElements) {
  const auto config = parse_stream_config(
      "subarches:\n - &sa [generic,   hwe-p]\n"
      "misc:\n - &glpae generic-lpae\n"
      " - &kh {suffix: .xgene-mustang, kihelper: kh-xgene,\n        di-format: 'xgene', dtb: "
      "'m.dtb'}\n" +
          head +
          " - version: \"16.04\"\n   release: xenial\n   builtin_kernel: linux-x\n   kernels:\n"
          "    - [xenial, armhf, *glpae, *glpae, linux-generic-lpae, [*glpae]]\n"
          "    - [xenial, arm64, mustang, generic, linux-generic, *sa, *kh]\n" +
          tail,
      "c.yaml");
  const auto& rows = config.releases[0].kernels;
  EXPECT_EQ(rows[0].subarch, "generic-lpae");
  EXPECT_EQ(rows[0].flavor, "generic-lpae");
  EXPECT_THAT(rows[0].subarches, ElementsAre("generic-lpae"));
  EXPECT_EQ(rows[0].di_format, "default");
  EXPECT_THAT(rows[1].subarches, ElementsAre("generic", "hwe-p"));
  EXPECT_EQ(rows[1].suffix, ".xgene-mustang");
  EXPECT_EQ(rows[1].kihelper, "kh-xgene");
  EXPECT_EQ(rows[1].dtb, "m.dtb");
  EXPECT_EQ(rows[1].di_format, "xgene");
  EXPECT_EQ(config.releases[0].builtin_kernel("arm64"), "linux-x");
}

TEST(StreamConfig, TheInstallersArchiveIsTheSystemsOwn) {
  const auto ubuntu = parse_stream_config(around(noble), "c.yaml");
  EXPECT_THAT(ubuntu.di_mirrors_of("amd64"), ElementsAre("http://archive.ubuntu.com/ubuntu"));
  EXPECT_THAT(ubuntu.di_mirrors_of("arm64"), ElementsAre("http://ports.ubuntu.com/ubuntu-ports"));
  EXPECT_THAT(ubuntu.di_pockets, ElementsAre("", "-updates", "-security"));
  EXPECT_THAT(ubuntu.di_keyring, HasSubstr("ubuntu-archive-keyring"));
  const auto debian = read_stream_config(shipped("debian.yaml"));
  EXPECT_THAT(debian.di_mirrors_of("s390x"), ElementsAre("http://deb.debian.org/debian"));
  EXPECT_THAT(debian.di_keyring, HasSubstr("debian-archive-keyring"));
  EXPECT_TRUE(
      parse_stream_config(around(noble) + "os: other\n", "c.yaml").di_mirrors_of("amd64").empty());
}

TEST(StreamConfig, TheInstallersArchiveCanBeNamed) {
  EXPECT_THAT(parse_stream_config(around(noble) + "di_mirrors: http://one.test/ubuntu\n", "c.yaml")
                  .di_mirrors_of("amd64"),
              ElementsAre("http://one.test/ubuntu"));
  const auto config = parse_stream_config(
      around(noble) +
          "di_mirrors: {amd64: [http://one.test, https://two.test], default: http://ports.test}\n"
          "di_keyring: k.gpg\ndi_pockets: [-updates]\n",
      "c.yaml");
  EXPECT_THAT(config.di_mirrors_of("amd64"), ElementsAre("http://one.test", "https://two.test"));
  EXPECT_THAT(config.di_mirrors_of("armhf"), ElementsAre("http://ports.test"));
  EXPECT_EQ(config.di_keyring, "k.gpg");
  EXPECT_THAT(config.di_pockets, ElementsAre("", "-updates"));
  EXPECT_THAT(error_of(around(noble) + "di_mirrors: /srv/mirror\n"),
              HasSubstr("must be an http or https URL"));
  EXPECT_THAT(error_of(around(noble) + "di_pockets: [updates]\n"),
              HasSubstr("must be like -updates"));
}

TEST(StreamConfig, DefaultsAreThoseOfTheEstablishedTools) {
  const auto config =
      parse_stream_config(head + noble + "content_id: a:b\nproduct_id_pre: a:v3:b\n", "c.yaml");
  EXPECT_FALSE(config.squashfs);
  EXPECT_TRUE(config.root_image);
  EXPECT_FALSE(config.enable_di);
  EXPECT_FALSE(config.enable_proposed);
  EXPECT_EQ(config.kname, "%(krel)s");
  EXPECT_EQ(config.os, "ubuntu");
  EXPECT_EQ(config.releases[0].builtin_kernel("amd64"), "none");
}

TEST(StreamConfig, ErrorsNameTheFileThePlaceTheKeyAndWhatWasExpected) {
  EXPECT_EQ(error_of(around(" - version: 24.10\n   release: oracular\n   kernels: []\n")),
            "c.yaml:2:13: releases[0].version: must be a string; quote it (unquoted, 24.10 is the "
            "number 24.1)");
  EXPECT_EQ(error_of(around(noble) + "squashf: True\n"),
            "c.yaml:9:10: squashf: unknown key; did you mean 'squashfs'?");
  EXPECT_THAT(error_of(around(noble) + "colour: red\n"),
              HasSubstr("c.yaml:9:9: colour: unknown key; expected"));
  EXPECT_EQ(
      error_of(around(noble + noble)),
      "c.yaml:7:13: releases[1].release: 'noble' is there twice; expected one entry for a release");
  EXPECT_EQ(error_of(head + noble + "content_id: x\n"),
            "c.yaml:1:1: the key 'product_id_pre' is missing");
  EXPECT_THAT(error_of(around("\t- version: x\n")),
              HasSubstr("c.yaml:2:1: a tab in the indentation"));
  EXPECT_THAT(error_of(around(" - version: '1'\n   release: r\n   kernels:\n    - [a, b, c]\n")),
              HasSubstr("c.yaml:5:7: releases[0].kernels[0]: must have 6 or 7 elements"));
  EXPECT_THAT(error_of(around(" - version: '1'\n   release: ../r\n   kernels: []\n")),
              HasSubstr("c.yaml:3:13: releases[0].release: '../r': must be letters"));
  EXPECT_THAT(error_of(around(" - version: '1'\n   release: r\n   kernels:\n"
                              "    - [a, b, c, d, 'x,y', [e]]\n")),
              HasSubstr("releases[0].kernels[0][4]: 'x,y': must be"));
  EXPECT_THAT(error_of(around(" - version: '1'\n   release: r\n   kernels:\n"
                              "    - [a, b, c, d, e, [f], {sufix: .x}]\n")),
              HasSubstr("releases[0].kernels[0][6].sufix: unknown key; did you mean 'suffix'?"));
  EXPECT_THAT(error_of(around(noble) + "kname: '%(subarc)s'\n"),
              HasSubstr("c.yaml:9:8: kname: the template '%(subarc)s': unknown variable 'subarc'"));
  EXPECT_THAT(error_of(around(noble) + "kname: '%d'\n"), HasSubstr("expected %(NAME)s"));
  EXPECT_THAT(error_of(around(noble) + "kname: '../%(subarch)s'\n"), HasSubstr("relative path"));
  EXPECT_THAT(error_of(head + noble +
                       "content_id: a\nproduct_id_pre: b\nsquashfs: False\nroot_image: False\n"),
              HasSubstr("expected at least one"));
  EXPECT_THAT(error_of(around(noble) + "enable_di: maybe\n"), HasSubstr("must be True or False"));
  EXPECT_THAT(error_of("- a\n"), HasSubstr("c.yaml:1:1: must be a mapping"));
  EXPECT_THAT(error_of(""), HasSubstr("c.yaml: must be a mapping, not nothing"));
}

TEST(StreamConfig, AnUnknownReleaseOrArchSaysWhatThereIs) {
  const auto config = parse_stream_config(around(noble), "c.yaml");
  EXPECT_EQ(support::refused(base::Errc::usage, [&] { config.require_release("nosuch"); }),
            "release 'nosuch' is not in c.yaml; it has noble");
  EXPECT_EQ(
      support::refused(base::Errc::usage,
                       [&] { config.require_arch(config.require_release("noble"), "s390x"); }),
      "arch 's390x' is not supported for release 'noble'; c.yaml has kernels for amd64");
}

TEST(StreamConfig, PackageListsAreTextOrLists) {
  const auto config = parse_stream_config(
      around(noble) + "proposed_packages: a, b\npre_purge_packages: [c, d]\n", "c.yaml");
  EXPECT_EQ(config.proposed_packages, "a,b");
  EXPECT_EQ(config.pre_purge_packages, "c,d");
  EXPECT_THAT(error_of(around(noble) + "proposed_packages: '--x'\n"),
              HasSubstr("is not a package name"));
}

}  // namespace

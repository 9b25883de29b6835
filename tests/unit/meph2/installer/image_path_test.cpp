#include "meph2/installer/image_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace {

using meph2::installer::classify_image;
using meph2::installer::ImageTree;

/// "KIND RELEASE FLAVOR FORMAT", or "none".
std::string facts(const std::string& path, const ImageTree& tree) {
  const auto found = classify_image(path, tree);
  return found ? base::cat(meph2::installer::name_of(found->kind), " ", found->kernel_release, " ",
                           found->flavor, " ", found->image_format)
               : "none";
}

const ImageTree& trusty() {
  static const ImageTree tree{"ubuntu", "trusty", {"trusty", "utopic", "vivid", "wily", "xenial"}};
  return tree;
}

const ImageTree& xenial() {
  static const ImageTree tree{"ubuntu", "xenial", {"trusty", "utopic", "vivid", "wily", "xenial"}};
  return tree;
}

const ImageTree& bookworm() {
  static const ImageTree tree{"debian", "bookworm", {"bullseye", "bookworm"}};
  return tree;
}

std::string in_trusty(const std::string& path) {
  return facts(path, trusty());
}

TEST(ImagePath, PlainNetboot) {
  for (const std::string arch : {"amd64", "i386", "arm64"}) {
    EXPECT_EQ(in_trusty("netboot/ubuntu-installer/" + arch + "/linux"),
              "kernel trusty generic default");
    EXPECT_EQ(in_trusty("netboot/ubuntu-installer/" + arch + "/initrd.gz"),
              "initrd trusty generic default");
  }
  EXPECT_EQ(in_trusty("netboot/ubuntu-installer/ppc64el/vmlinux"), "kernel trusty generic default");
}

TEST(ImagePath, ADirectoryOfAFlavor) {
  EXPECT_EQ(in_trusty("netboot/non-pae/ubuntu-installer/i386/linux"),
            "kernel trusty non-pae default");
  EXPECT_EQ(in_trusty("netboot/non-pae/ubuntu-installer/i386/initrd.gz"),
            "initrd trusty non-pae default");
}

TEST(ImagePath, HardwareEnablement) {
  EXPECT_EQ(in_trusty("vivid-netboot/ubuntu-installer/amd64/linux"),
            "kernel vivid generic default");
  EXPECT_EQ(in_trusty("vivid-netboot/ubuntu-installer/ppc64el/vmlinux"),
            "kernel vivid generic default");
  EXPECT_EQ(facts("hwe-netboot/ubuntu-installer/amd64/linux", xenial()),
            "kernel hwe generic default");
  EXPECT_EQ(facts("hwe-netboot/ubuntu-installer/arm64/initrd.gz", xenial()),
            "initrd hwe generic default");
  EXPECT_EQ(facts("hwe-generic-lpae/netboot/vmlinuz", xenial()), "kernel hwe generic-lpae default");
  EXPECT_EQ(facts("nobody-netboot/ubuntu-installer/amd64/linux", xenial()), "none");
}

TEST(ImagePath, FlavorsOfArmAndPower) {
  for (const std::string flavor : {"generic", "generic-lpae", "highbank", "keystone", "omap",
                                   "omap4", "armadaxp", "powerpc", "powerpc64", "e500", "e500mc"}) {
    EXPECT_EQ(in_trusty(flavor + "/netboot/vmlinuz"), "kernel trusty " + flavor + " default");
    EXPECT_EQ(in_trusty(flavor + "/netboot/vmlinux"), "kernel trusty " + flavor + " default");
    EXPECT_EQ(in_trusty(flavor + "/netboot/initrd.gz"), "initrd trusty " + flavor + " default");
    EXPECT_EQ(in_trusty(flavor + "/netboot/uImage"), "kernel trusty " + flavor + " default");
    EXPECT_EQ(in_trusty(flavor + "/netboot/uInitrd"), "initrd trusty " + flavor + " default");
    EXPECT_EQ(in_trusty("xenial-" + flavor + "/netboot/vmlinux"),
              "kernel xenial " + flavor + " default");
  }
}

TEST(ImagePath, ImagesPackedForABoard) {
  for (const std::string board :
       {"beagleboard", "pandaboard", "wandboard", "wandboard-quad", "xgene"}) {
    EXPECT_EQ(in_trusty("generic/netboot/" + board + "/uImage"), "kernel trusty generic " + board);
    EXPECT_EQ(in_trusty("utopic-generic/netboot/" + board + "/uInitrd"),
              "initrd utopic generic " + board);
    EXPECT_EQ(in_trusty("generic/netboot/" + board + "/boot.scr-serial"), "none");
    EXPECT_EQ(in_trusty("generic/netboot/" + board + "/u-boot.img"), "none");
  }
  EXPECT_EQ(in_trusty("generic/netboot/tegra/vmlinuz"), "kernel trusty generic tegra");
  EXPECT_EQ(in_trusty("generic/netboot/tegra/initrd.gz"), "initrd trusty generic tegra");
  EXPECT_EQ(facts("netboot/ubuntu-installer/arm64/xgene-uboot/uImage", xenial()),
            "kernel xenial generic xgene");
  EXPECT_EQ(facts("netboot/ubuntu-installer/arm64/xgene-uboot-mustang/uInitrd", xenial()),
            "initrd xenial generic xgene-uboot-mustang");
  EXPECT_EQ(facts("hwe-netboot/ubuntu-installer/arm64/xgene-uboot/uInitrd", xenial()),
            "initrd hwe generic xgene");
}

TEST(ImagePath, DeviceTrees) {
  EXPECT_EQ(in_trusty("device-tree/juno.dtb"), "dtb trusty generic default");
  EXPECT_EQ(in_trusty("device-tree/apm-mustang.dtb"), "dtb trusty generic xgene");
  EXPECT_EQ(in_trusty("generic/netboot/xgene/apm-mustang.dtb"), "dtb trusty generic xgene");
  EXPECT_EQ(in_trusty("generic/netboot/tegra/tegra124-jetson-tk1.dtb"), "dtb trusty generic tegra");
  EXPECT_EQ(in_trusty("vivid-generic/netboot/tegra/tegra20-paz00.dtb"), "dtb vivid generic tegra");
  EXPECT_EQ(in_trusty("device-tree/README"), "none");
  EXPECT_EQ(in_trusty("device-tree/.dtb"), "none");
}

TEST(ImagePath, MainframesHaveTheNameOfTheirSystem) {
  EXPECT_EQ(facts("generic/kernel.ubuntu", xenial()), "kernel xenial generic default");
  EXPECT_EQ(facts("generic/initrd.ubuntu", xenial()), "initrd xenial generic default");
  EXPECT_EQ(facts("generic/kernel.debian", xenial()), "none");
  EXPECT_EQ(facts("generic/parmfile.ubuntu", xenial()), "none");
  EXPECT_EQ(facts("generic/ubuntu.exec", xenial()), "none");
  EXPECT_EQ(facts("generic/kernel.debian", bookworm()), "kernel bookworm generic default");
  EXPECT_EQ(facts("generic/initrd.debian", bookworm()), "initrd bookworm generic default");
}

TEST(ImagePath, DebiansTrees) {
  for (const std::string arch : {"amd64", "i386", "arm64"}) {
    EXPECT_EQ(facts("netboot/debian-installer/" + arch + "/linux", bookworm()),
              "kernel bookworm generic default");
  }
  EXPECT_EQ(facts("netboot/debian-installer/ppc64el/vmlinux", bookworm()),
            "kernel bookworm generic default");
  EXPECT_EQ(facts("netboot/vmlinuz", bookworm()), "kernel bookworm generic default");
  EXPECT_EQ(facts("netboot/initrd.gz", bookworm()), "initrd bookworm generic default");
  EXPECT_EQ(facts("malta/netboot/vmlinuz-6.1.0-50-4kc-malta", bookworm()),
            "kernel bookworm malta default");
  EXPECT_EQ(facts("octeon/netboot/vmlinux-6.1.0-50-octeon", bookworm()),
            "kernel bookworm octeon default");
  EXPECT_EQ(facts("kirkwood/device-tree/kirkwood-dockstar.dtb", bookworm()),
            "dtb bookworm kirkwood default");
}

TEST(ImagePath, WhatBootsNothingOverTheNetwork) {
  for (const std::string path : {"netboot/gtk/ubuntu-installer/amd64/linux",
                                 "netboot/gtk/debian-installer/amd64/initrd.gz",
                                 "vivid-netboot/gtk/ubuntu-installer/i386/linux",
                                 "netboot/xen/vmlinuz",
                                 "netboot/xen/initrd.gz",
                                 "netboot-xen/netboot/xen/vmlinuz",
                                 "vivid-netboot-xen/netboot/xen/initrd.gz",
                                 "vivid-netboot/xen/xm-debian.cfg",
                                 "cdrom/vmlinuz",
                                 "cdrom/gtk/initrd.gz",
                                 "hd-media/initrd.gz",
                                 "e500/cdrom/vmlinux",
                                 "powerpc/hd-media/vmlinux",
                                 "generic/cdrom/initrd.gz",
                                 "netboot/mini.iso",
                                 "netboot/netboot.tar.gz",
                                 "netboot/boot.img.gz",
                                 "netboot/ubuntu-installer/amd64/pxelinux.0",
                                 "netboot/ubuntu-installer/arm64/bootnetaa64.efi",
                                 "netboot/ubuntu-installer/arm64/grub/grub.cfg",
                                 "netboot/ubuntu-installer/ppc64el/powerpc-ieee1275/core.elf",
                                 "omap4/netboot/MLO",
                                 "omap4/netboot/boot.img-fat-serial",
                                 "MANIFEST",
                                 "udeb.list",
                                 "",
                                 "/",
                                 "netboot/",
                                 "netboot/ubuntu-installer//linux",
                                 "a:b/netboot/vmlinuz",
                                 "device-tree/a b.dtb",
                                 "netboot/ubuntu-installer/amd64/linux.old"}) {
    EXPECT_EQ(in_trusty(path), "none") << path;
  }
}

}  // namespace

#include "meph2/image/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace meph2::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string usage(const std::function<void()>& action) {
  return support::refused(base::Errc::usage, [&] { action(); });
}

TEST(KernelPack, IsReadInFull) {
  const auto pack = parse_kernel_pack(
      "linux-generic,o/boot-kernel.x,o/boot-initrd.x,--dtb=apm/m.dtb=o/boot-dtb.x,"
      "--kihelper=kh-mustang");
  EXPECT_EQ(pack.package, "linux-generic");
  EXPECT_EQ(pack.kernel, "o/boot-kernel.x");
  EXPECT_EQ(pack.initrd, "o/boot-initrd.x");
  EXPECT_THAT(pack.dtbs, ElementsAre(Pair("apm/m.dtb", "o/boot-dtb.x")));
  EXPECT_EQ(pack.kihelper, "kh-mustang");
}

TEST(KernelPack, OfAnotherShapeIsAUsageError) {
  EXPECT_THAT(usage([] { parse_kernel_pack("linux-generic,k"); }), HasSubstr("PKG,KERNEL,INITRD"));
  EXPECT_THAT(usage([] { parse_kernel_pack("linux-generic,,i"); }), HasSubstr("PKG,KERNEL,INITRD"));
  EXPECT_THAT(usage([] { parse_kernel_pack("p,k,i,--dtb=x"); }), HasSubstr("--dtb=NAME=FILE"));
  EXPECT_THAT(usage([] { parse_kernel_pack("p,k,i,--other"); }), HasSubstr("unknown part"));
  EXPECT_THAT(usage([] { parse_kernel_pack("-oDir::Bin=x,k,i"); }), HasSubstr("no package name"));
}

TEST(Options, ThatMakeNoSenseAreUsageErrors) {
  BuildOptions options;
  options.format = "iso";
  EXPECT_THAT(usage([&] { check_options(options); }), HasSubstr("--format=iso"));
  options.format = "auto";
  options.compression = "lzo";
  EXPECT_THAT(usage([&] { check_options(options); }), HasSubstr("--compression=lzo"));
  options.compression = "zstd";
  options.packs = {parse_kernel_pack("p,same,i1"), parse_kernel_pack("q,same,i2")};
  EXPECT_THAT(usage([&] { check_options(options); }), HasSubstr("same: named twice"));
  options.packs.clear();
  options.add_packages = {"--reinstall"};
  EXPECT_THAT(usage([&] { check_options(options); }), HasSubstr("no package name"));
}

}  // namespace
}  // namespace meph2::image

#include "meph2/image/steps/dpkg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "meph2/image/steps/kernel_files.h"
#include "tests/support/refused.h"

namespace meph2::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* status =
    "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n"
    "Depends: tar (>= 1.28-1)\n\n"
    "Package: tar\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.34+dfsg-1.2\n"
    "Description: GNU tar\n A program: with a colon.\n .\n\n"
    "Package: zlib1g\nStatus: install ok installed\nMulti-Arch: same\nArchitecture: amd64\n"
    "Version: 1:1.2.13\n\n"
    "Package: libc6\nStatus: install ok installed\nMulti-Arch: same\nArchitecture: i386\n"
    "Version: 2.36\n\n"
    "Package: libc6\nStatus: install ok installed\nMulti-Arch: same\nArchitecture: amd64\n"
    "Version: 2.36\n\n"
    "Package: wine\nStatus: install ok installed\nArchitecture: i386\nVersion: 8\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 3\n\n"
    "Package: never\nStatus: unknown ok not-installed\nArchitecture: all\nVersion: 3\n\n"
    "Package: linux-image-amd64\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.1\n"
    "Pre-Depends: tar\nDepends: linux-image-6.1.0-9-amd64 (= 6.1.27-1) | wrong:any, dpkg\n\n"
    "Package: linux-image-6.1.0-9-amd64\nStatus: install ok installed\nArchitecture: amd64\n"
    "Version: 6.1.27-1\nDepends: kmod\n";

TEST(Manifest, IsWhatDpkgQueryShows) {
  EXPECT_EQ(manifest_text(parse_dpkg_status(status, "status")),
            "dpkg\t1.21.22\ngone\t3\nlibc6:amd64\t2.36\nlibc6:i386\t2.36\n"
            "linux-image-6.1.0-9-amd64\t6.1.27-1\nlinux-image-amd64\t6.1\ntar\t1.34+dfsg-1.2\n"
            "wine:i386\t8\nzlib1g:amd64\t1:1.2.13\n");
}

TEST(DpkgStatus, ThatIsNoneIsRefusedWithItsLine) {
  EXPECT_THAT(support::refused([&] {
                parse_dpkg_status("Package: a\nrubbish\n", "IMG: /var/lib/dpkg/status");
              }).what(),
              HasSubstr("status:2: 'Field: value' expected"));
}

TEST(DpkgStatus, HasOnlyWhatDpkgWouldTake) {
  for (const auto* paragraph :
       {"Package: evil\tpkg\nVersion: 1\n", "Package: +a\nVersion: 1\n",
        "Package: a\nVersion: 1\x1b[2J\n", "Package: a\nVersion: 1 2\n",
        "Package: a\nVersion: 1\nArchitecture: all\tb\n", "Package: ../a\nVersion: 1\n"}) {
    EXPECT_THAT(support::refused(base::Errc::untrusted,
                                 [&] { parse_dpkg_status(paragraph, "IMG: status"); }),
                AllOf(HasSubstr("IMG: status:1: "), HasSubstr("that dpkg would take")))
        << paragraph;
  }
  EXPECT_EQ(parse_dpkg_status("Package: Lib_a+b.c-1\nVersion: 1:2.3+x~y-4:z\n", "s").size(), 1U);
}

TEST(DependencyClosure, StartsWithTheNearest) {
  const auto packages = parse_dpkg_status(status, "status");
  EXPECT_THAT(dependency_closure(packages, "linux-image-amd64"),
              ElementsAre("linux-image-amd64", "tar", "linux-image-6.1.0-9-amd64", "dpkg"));
  EXPECT_TRUE(dependency_closure(packages, "no-such-thing").empty());
}

TEST(KernelFiles, AreFoundWherePackagesPutThem) {
  const auto found =
      kernel_files("p", {"/boot", "/boot/vmlinuz-6.1.0-9-amd64", "/boot/config-6.1.0-9-amd64",
                         "/boot/vmlinux-5.4.0-1-generic", "/usr/lib/modules/6.9-arch/vmlinuz",
                         "/usr/lib/modules/6.9-arch/kernel/vmlinuz", "/lib/modules/6.8/vmlinuz"});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].version, "6.1.0-9-amd64");
  EXPECT_EQ(found[1].version, "5.4.0-1-generic");
  EXPECT_EQ(found[2].version, "6.9-arch");
  EXPECT_EQ(found[3].path, "/lib/modules/6.8/vmlinuz");
}

TEST(ChooseKernel, TakesTheNearestThatIsSigned) {
  const KernelFile unsigned_one{"linux-image-unsigned-6-generic", "/boot/vmlinuz-6-generic",
                                "6-generic"};
  const KernelFile signed_one{"linux-image-6-generic", "/boot/vmlinuz-6-generic", "6-generic"};
  const KernelFile other{"linux-image-5-generic", "/boot/vmlinuz-5-generic", "5-generic"};
  EXPECT_EQ(choose_kernel({unsigned_one, signed_one, other}).package, signed_one.package);
  EXPECT_EQ(choose_kernel({unsigned_one}).package, unsigned_one.package);
}

}  // namespace
}  // namespace meph2::image

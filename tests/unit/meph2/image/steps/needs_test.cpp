#include "meph2/image/steps/needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "tests/support/refused.h"

namespace meph2::image {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::string shipped = SOURCE_DIR "/conf/builder.yaml";

TEST(OsRelease, IsRead) {
  const auto os = parse_os_release("NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_CODENAME='noble'\n");
  EXPECT_EQ(os.id, "ubuntu");
  EXPECT_EQ(os.codename, "noble");
  EXPECT_EQ(parse_os_release("ID=ubuntu\nUBUNTU_CODENAME=xenial\n").codename, "xenial");
}

TEST(ShippedNeeds, KnowEveryReleaseThatWeBuild) {
  for (const auto* codename :
       {"xenial", "bionic", "focal", "jammy", "noble", "oracular", "plucky", "questing"}) {
    const auto needs = read_needs(shipped, {"ubuntu", codename});
    EXPECT_EQ(needs.compression, "xz") << codename;
    EXPECT_THAT(needs.initrd.initrd_packages, Contains("overlayroot")) << codename;
    EXPECT_EQ(needs.proposed_suite, "%(codename)s-proposed") << codename;
  }
  const auto debian = read_needs(shipped, {"debian", "bookworm"});
  EXPECT_EQ(debian.compression, "zstd");
  EXPECT_THAT(debian.initrd.initrd_packages, Contains("live-boot"));
  EXPECT_THAT(debian.initrd.generator, Contains("initramfs-tools"));
}

std::string error_of(const std::string& yaml, const OsRelease& os) {
  const base::TempDir directory("needs-");
  const auto path = directory.path() + "/b.yaml";
  auto file = base::open_file(path, O_WRONLY | O_CREAT, 0644);
  file.write(yaml);
  file.close();
  return support::refused(base::Errc::usage, [&] { read_needs(path, os); });
}

TEST(Needs, SayWhereTheyAreWrong) {
  const OsRelease os{"debian", "bookworm"};
  EXPECT_THAT(error_of("releases:\n  - os: debian\n    colour: red\n", os), HasSubstr("b.yaml:3:"));
  EXPECT_THAT(error_of("releases:\n  - os: debian\n    purge: x\n", os),
              HasSubstr("list expected, not string"));
  EXPECT_THAT(error_of("defaults: {}\n", os), HasSubstr("list expected"));
  EXPECT_THAT(error_of("releases:\n  - os: ubuntu\n", os), HasSubstr("no row fits"));
  EXPECT_THAT(error_of("releases: []\nextra: 1\n", os), HasSubstr("unknown key"));
}

}  // namespace
}  // namespace meph2::image

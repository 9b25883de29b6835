#include "io/image/squashfs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "tests/io/meph2/image/tools.h"

namespace io {
namespace {

using image_test::run;
using image_test::write_file;
using testing::HasSubstr;
using testing::Optional;

class SquashfsFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto root = path("tree");
    run({"mkdir", "-p", root + "/usr/lib", root + "/etc", root + "/var/lib/dpkg"});
    write_file(root + "/usr/lib/os-release", "ID=debian\n");
    run({"ln", "-s", "../usr/lib/os-release", root + "/etc/os-release"});
    run({"ln", "-s", "loop", root + "/loop"});
    std::string status;
    for (int i = 0; i < 40000; ++i) {
      status += base::cat("Package: p", i * 7919 % 40000, "\n");
    }
    write_file(root + "/var/lib/dpkg/status", status);
    run({"mksquashfs", root, path("s"), "-quiet", "-no-progress", "-comp", "xz"});
  }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  /// What is wrong with a file, as whoever publishes it would be told.
  std::string problem(const std::string& bytes) const {
    write_file(path("bad"), bytes);
    auto file = base::open_file(path("bad"), O_RDONLY);
    try {
      const Squashfs squashfs(file);
      squashfs.check_names();
      squashfs.read("var/lib/dpkg/status", 1U << 30U);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Errc::untrusted);
      EXPECT_THAT(error.what(), HasSubstr(path("bad")));
      return error.what();
    }
    return "";
  }

 private:
  base::TempDir directory_{"squashfs-"};
};

TEST_F(SquashfsFile, IsReadWithoutMounting) {
  auto file = base::open_file(path("s"), O_RDONLY);
  const Squashfs squashfs(file);
  EXPECT_EQ(squashfs.facts().compression, "xz");
  EXPECT_LE(squashfs.facts().bytes_used, file.size());
  squashfs.check_names();
  EXPECT_THAT(squashfs.read("etc/os-release", 1000), Optional(std::string("ID=debian\n")));
  EXPECT_EQ(squashfs.read("var/lib/dpkg/status", 1U << 30U),
            base::read_file(path("tree") + "/var/lib/dpkg/status"));
  EXPECT_EQ(squashfs.read("etc/none", 1000), std::nullopt);
  EXPECT_EQ(squashfs.read("etc", 1000), std::nullopt);
  EXPECT_EQ(squashfs.read("loop", 1000), std::nullopt);
  EXPECT_THROW(squashfs.read("var/lib/dpkg/status", 100), base::Error);
}

TEST_F(SquashfsFile, ThatWasCutIsRefusedAtEveryLength) {
  const auto bytes = base::read_file(path("s"));
  auto file = base::open_file(path("s"), O_RDONLY);
  const auto used = static_cast<std::size_t>(Squashfs(file).facts().bytes_used);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto length = i < 3 ? i * 48 : used * i / 20;
    EXPECT_NE(problem(bytes.substr(0, length)), "") << length << " of " << used;
  }
  EXPECT_THAT(problem(bytes.substr(0, used - 1)), HasSubstr("truncated"));
  EXPECT_EQ(problem(bytes.substr(0, used)), "") << "only the padding is missing";
}

TEST_F(SquashfsFile, ThatIsDamagedNeverHarms) {
  const auto bytes = base::read_file(path("s"));
  std::uint32_t state = 12345;
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    auto damaged = bytes;
    for (int j = 0; j < 4; ++j) {
      state = state * 1664525U + 1013904223U;
      // Half of the hits go to the superblock and to the tables at the end.
      const auto at = (state >> 8U) % (j % 2 == 0 ? damaged.size() : 96);
      damaged[at] =
          static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << (state % 8U)));
    }
    refused += problem(damaged).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
}

TEST_F(SquashfsFile, ThatIsNoneIsRefused) {
  EXPECT_THAT(problem(""), HasSubstr("not a squashfs"));
  EXPECT_THAT(problem(std::string(4096, 'x')), HasSubstr("not a squashfs"));
}

}  // namespace
}  // namespace io

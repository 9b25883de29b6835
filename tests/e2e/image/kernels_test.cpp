#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/json/json.h"
#include "io/tar/archive.h"
#include "tests/e2e/image/builder.h"

namespace {

using builder_test::build;
using builder_test::exists;
using builder_test::output_of;
using builder_test::pack_option;
using builder_test::roots;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

using Strings = std::vector<std::string>;

class Kernels : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT_FS(); }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  std::vector<std::string> words(const std::string& source) const {
    return {"--no-gzip",
            "--kernel=none",
            "--arch=amd64",
            "--manifest=" + path("out/manifest"),
            "--format=auto",
            source,
            path("out/root-image.gz")};
  }

  io::Json report() const {
    return io::parse_json(base::read_file(path("report")), path("report"));
  }

  /// What was read, used and made for a build of the squashfs with these kernels.
  void expect_report_of(const std::vector<std::string>& kernels) const {
    const auto json = report();
    EXPECT_THAT(json.at("builder").get<std::string>(), testing::StartsWith("maas-cloudimg2eph2 "));
    EXPECT_GE(json.at("revision").get<int>(), 2);
    auto source = base::open_file(roots().debian, O_RDONLY);
    EXPECT_EQ(json.at("source"),
              io::Json({{"sha256", io::digest_file(io::Algorithm::sha256, source)},
                        {"size", source.size()}}));
    EXPECT_EQ(told_of(json.at("stages"), "outcome"), Strings(1 + kernels.size(), "made"));
    EXPECT_EQ(told_of(json.at("stages"), "log"), Strings(1 + kernels.size(), ""));
    EXPECT_EQ(told_of(json.at("stages"), "name").front(), "prepare");
    for (const auto& kernel : kernels) {
      EXPECT_THAT(json.at("packages").value(kernel, ""), testing::StartsWith("6.1.")) << kernel;
    }
    expect_archives(json.at("archives"));
  }

  static void expect_archives(const io::Json& archives) {
    ASSERT_FALSE(archives.empty());
    EXPECT_THAT(told_of(archives, "url"), testing::Each(testing::EndsWith("/")));
    EXPECT_THAT(told_of(archives, "suite"), testing::Each(testing::StartsWith("bookworm")));
    EXPECT_THAT(told_of(archives, "sha256"), testing::Each(testing::SizeIs(64)));
  }

  /// One value of each object of a list; empty where it has none.
  static Strings told_of(const io::Json& list, const std::string& key) {
    Strings out;
    for (const auto& each : list) {
      out.push_back(each.value(key, ""));
    }
    return out;
  }

  base::TempDir directory_{"kernels-"};
};

bool is_linux_kernel(const std::string& path) {
  const auto bytes = base::read_file(path);
  return bytes.size() > 1000000 && bytes.substr(0x202, 4) == "HdrS";
}

/// A cpio archive holds the names of its files as they are.
std::string unpacked(const std::string& initrd) {
  const base::TempDir directory("initrd-");
  auto packed = base::open_file(initrd, O_RDONLY);
  auto raw = base::open_file(directory.path() + "/raw", O_RDWR | O_CREAT);
  io::decompress(packed, raw, 1ULL << 30U, {});
  raw.close();
  return base::read_file(directory.path() + "/raw");
}

bool holds(const std::string& bytes, const std::string& text) {
  return bytes.find(text) != std::string::npos;
}

TEST_F(Kernels, ArePackedTogetherFromOneImage) {
  // A copy of its own, so that its loop devices can be told from others'.
  output_of({"cp", "--reflink=auto", roots().debian, path("source")});
  auto argv = words(path("source"));
  argv.insert(argv.begin(), {"--jobs", "2", builder_test::quick_conf, "--report=" + path("report"),
                             "--logs=" + path("logs")});
  const std::vector<std::string> kernels = {"linux-image-cloud-amd64", "linux-image-amd64"};
  for (const auto& kernel : kernels) {
    argv.push_back(pack_option(kernel, path("out")));
  }
  const auto outcome = build(argv);
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  for (const auto& kernel : kernels) {
    const auto base = path("out/" + kernel);
    EXPECT_TRUE(is_linux_kernel(base + "/boot-kernel")) << kernel;
    const auto listing = unpacked(base + "/boot-initrd");
    EXPECT_TRUE(holds(listing, "overlay.ko")) << kernel;
    EXPECT_TRUE(holds(listing, "squashfs.ko")) << kernel;
    EXPECT_EQ(holds(listing, "-cloud-amd64/kernel"), kernel == kernels[0]);
  }
  EXPECT_FALSE(exists(path("logs"))) << "of a build that is complete";
  expect_report_of(kernels);
  EXPECT_EQ(base::read_file(path("out/squashfs")), base::read_file(roots().debian));
  output_of({"unsquashfs", "-no-progress", "-d", path("un"), roots().debian, "var/lib/dpkg"});
  EXPECT_EQ(base::read_file(path("out/manifest")),
            output_of({"dpkg-query", "--admindir=" + path("un/var/lib/dpkg"), "--show"}));
  EXPECT_THAT(
      base::list_directory(path("out")),
      testing::ElementsAre("linux-image-amd64", "linux-image-cloud-amd64", "manifest", "squashfs"));
  EXPECT_TRUE(builder_test::no_loops(directory_.path()));
}

class KernelsOfLocalArchive : public Kernels {
 private:
  builder_test::LocalArchive archive_;
};

TEST_F(KernelsOfLocalArchive, ThatDoNotExistAreOneClearError) {
  auto argv = words(roots().local_squashfs);
  argv.insert(argv.begin(),
              {builder_test::quick_conf, "--report=" + path("report"), "--logs=" + path("logs")});
  argv.push_back(pack_option("linux-image-nonesuch", path("out")));
  const auto outcome = build(argv);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.error, HasSubstr("kernel linux-image-nonesuch"));
  EXPECT_THAT(outcome.error, HasSubstr("Unable to locate package linux-image-nonesuch"));
  EXPECT_THAT(outcome.error, HasSubstr("see " + path("logs/prepare.log")));
  const auto log = base::read_file(path("logs/prepare.log"));
  EXPECT_THAT(log, HasSubstr("--download-only install linux-image-nonesuch\n"));
  EXPECT_THAT(log,
              HasSubstr("E: Unable to locate package linux-image-nonesuch\nexit status 100\n"));
  const auto stages = report().at("stages");
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_EQ(stages[0].at("outcome"), "failed");
  EXPECT_EQ(stages[0].at("log"), path("logs/prepare.log"));
  EXPECT_THAT(base::list_directory(path("out")), IsEmpty());
}

TEST_F(KernelsOfLocalArchive, CannotBeMadeOfAPackageThatHasNone) {
  auto argv = words(roots().local_squashfs);
  argv.insert(argv.begin(), builder_test::quick_conf);
  argv.push_back(pack_option("hostname", path("out")));
  const auto outcome = build(argv);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.error, HasSubstr("neither hostname nor what it depends on owns a kernel"));
  EXPECT_THAT(base::list_directory(path("out")), IsEmpty());
}

/// The layers are on a disk of their own that is too small: for the package lists, for the
/// download, for what the package unpacks to.
class SmallDisk : public Kernels, public testing::WithParamInterface<const char*> {};

TEST_P(SmallDisk, IsOneClearError) {
  const auto small = path("small");
  base::make_directories(small);
  base::make_directories(path("out"));
  output_of({"mount", "-t", "tmpfs", "-o", base::cat("size=", GetParam()), "tmpfs", small});
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before != nullptr ? before : "";
  ::setenv("TMPDIR", small.c_str(), 1);
  auto argv = words(roots().debian);
  argv.push_back(pack_option("linux-image-cloud-amd64", path("out")));
  const auto outcome = build(argv);
  ::setenv("TMPDIR", saved.c_str(), 1);
  const auto left = base::list_directory(small);
  output_of({"umount", small});  // fails where something is still in use there
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  EXPECT_THAT(outcome.error,
              testing::AnyOf(HasSubstr("No space left on device"), HasSubstr("enough free space")));
  EXPECT_THAT(left, IsEmpty());
  EXPECT_THAT(base::list_directory(path("out")), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Kernels, SmallDisk, testing::Values("64M", "240M", "300M"),
                         [](const auto& size) { return std::string(size.param); });

TEST_F(Kernels, NeedAnImageWithDpkg) {
  base::make_directories(path("tree/etc"));
  output_of({"mksquashfs", path("tree"), path("s"), "-quiet", "-no-progress"});
  auto argv = words(path("s"));
  argv.push_back(pack_option("linux-image-amd64", path("out")));
  const auto outcome = build(argv);
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.error, HasSubstr("the image has no dpkg"));
}

TEST_F(Kernels, NeedAnImageOfTheArchitectureAskedFor) {
  const auto outcome = build({"--arch=arm64", "--no-gzip", "--manifest=" + path("m"),
                              roots().debian, path("out/root-image.gz")});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.error, HasSubstr("of architecture amd64, not arm64"));
}

/// What the published root gets, and what only the work needed.
TEST_F(KernelsOfLocalArchive, AndPackagesCanBeAddedToTheRoot) {
  ::setenv("M2E_ADD_PACKAGES", "hello", 1);
  auto argv = words(roots().local_squashfs);
  argv.insert(argv.begin(), {"--compression=gzip", "--pre-purge-packages=ca-certificates",
                             "--report=" + path("report")});
  const auto outcome = build(argv);
  ::unsetenv("M2E_ADD_PACKAGES");
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  const auto manifest = base::read_file(path("out/manifest"));
  EXPECT_THAT(manifest,
              HasSubstr("hello\t" + report().at("packages").value("hello", "none") + "\n"));
  EXPECT_FALSE(report().at("archives").empty());
  EXPECT_THAT(manifest, testing::Not(HasSubstr("ca-certificates\t2")));
  output_of({"unsquashfs", "-no-progress", "-d", path("un"), path("out/squashfs")});
  EXPECT_TRUE(exists(path("un/usr/bin/hello")));
  EXPECT_FALSE(exists(path("un/usr/sbin/policy-rc.d")));
  EXPECT_THAT(base::list_directory(path("un/var/lib/apt/lists")),
              testing::Not(Contains(HasSubstr("bookworm"))));
  EXPECT_THAT(base::list_directory(path("un/run")), testing::Not(Contains(HasSubstr("meph2"))));
  EXPECT_EQ(output_of({"dpkg-query", "--admindir=" + path("un/var/lib/dpkg"), "--show"}), manifest);
  EXPECT_EQ(output_of({"dpkg-divert", "--admindir", path("un/var/lib/dpkg"), "--list", "*meph2*"}),
            "");
}

}  // namespace

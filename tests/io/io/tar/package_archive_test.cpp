#include "io/tar/package_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "tests/io/meph2/import/debian_package.h"
#include "tests/support/refused.h"

namespace {

using support::TarWriter;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

base::File file_of(const std::string& content) {
  auto file = base::unnamed_file("p.deb");
  file.write(content);
  return file;
}

std::map<std::string, std::string> read(const std::string& deb,
                                        const io::PackageLimits& limits = {}) {
  auto file = file_of(deb);
  return io::read_package_files(
      file, [](const std::string& name) { return name.starts_with("usr/"); }, limits, {});
}

void refused(const std::string& deb, const std::string& reason,
             const io::PackageLimits& limits = {}) {
  EXPECT_THAT(support::refused(base::Errc::untrusted, [&] { read(deb, limits); }),
              HasSubstr(reason));
}

TEST(DebianPackage, GivesTheFilesThatAreWanted) {
  const auto deb = support::debian_package(TarWriter()
                                               .directory("./")
                                               .directory("./usr/")
                                               .file("./usr/a", "one")
                                               .file("./etc/b", "two")
                                               .symlink("./usr/link", "../etc/b")
                                               .symlink("./usr/absolute", "/usr/link")
                                               .hard_link("./usr/hard", "./usr/a")
                                               .bytes());
  EXPECT_THAT(read(deb),
              UnorderedElementsAre(Pair("usr/a", "one"), Pair("usr/link", "two"),
                                   Pair("usr/absolute", "two"), Pair("usr/hard", "one")));
}

TEST(DebianPackage, HostileOnesAreRefused) {
  const auto package = [](const TarWriter& tar) { return support::debian_package(tar.bytes()); };
  refused(package(TarWriter().file("../evil", "x")), "..");
  refused(package(TarWriter().file("usr/../../evil", "x")), "..");
  refused(package(TarWriter().file("/etc/passwd", "x")), "absolute");
  refused(package(TarWriter().symlink("usr/out", "../../etc/passwd")), "leads out of the package");
  refused(package(TarWriter().symlink("usr/out", "/etc/passwd")), "leads out of the package");
  refused(package(TarWriter().symlink("usr/a", "b").symlink("usr/b", "a")),
          "leads out of the package");
  refused(package(TarWriter().symlink("usr", "/tmp").file("usr/a", "x")), "usr");
  refused(package(TarWriter().file("usr/a", "x").file("usr/a", "y")), "usr/a");
  refused(package(TarWriter().device("usr/null", '3', 1, 3)), "device");
  refused(package(TarWriter().device("dev/null", '3', 1, 3)), "device");
  refused("!<arch>\nrubbish", "read p.deb");
  refused(support::ar_archive({{"debian-binary", "2.0\n"}}), "no data.tar");
  refused(support::ar_archive({{"debian-binary", "2.0\n"}, {"data.tar.xz", "rubbish"}}),
          "data.tar");
}

TEST(DebianPackage, BombsEndEarly) {
  const std::string zeros(4U << 20U, '\0');
  const auto bomb = support::debian_package(TarWriter().file("etc/zeros", zeros).bytes());
  io::PackageLimits limits;
  limits.max_bytes = 1U << 20U;
  refused(bomb, "unpacks to more than", limits);
  limits = {};
  limits.max_taken = 1U << 20U;
  refused(support::debian_package(TarWriter().file("usr/zeros", zeros).bytes()),
          "more than is taken", limits);
  limits.max_taken = 9U << 20U;  // two of three
  refused(support::debian_package(TarWriter()
                                      .file("usr/zeros", zeros)
                                      .hard_link("usr/again", "usr/zeros")
                                      .hard_link("usr/and-again", "usr/zeros")
                                      .bytes()),
          "more than is taken", limits);
  limits = {};
  limits.max_entries = 2;
  refused(support::debian_package(
              TarWriter().file("usr/a", "").file("usr/b", "").file("usr/c", "").bytes()),
          "unpacks to more than 2 files", limits);
}

TEST(TarXz, HasTheSameBytesForTheSameFiles) {
  const std::map<std::string, std::string> files{{"b.efi", std::string(100'000, 'b')},
                                                 {"a.efi", "a"}};
  const auto bytes = [&files] {
    auto out = base::unnamed_file("out");
    io::write_tar_xz(files, out);
    out.seek(0);
    return base::read_all(out);
  };
  const auto first = bytes();
  EXPECT_EQ(first, bytes());
  base::Command command;
  command.argv = {"tar", "-tvJf", "-", "--full-time", "--utc"};
  command.env = {{"TZ", "UTC"}};
  command.input = first;
  command.capture_output = true;
  EXPECT_EQ(base::run_checked(command).output,
            "-rw-r--r-- 0/0               1 1970-01-01 00:00:00 a.efi\n"
            "-rw-r--r-- 0/0          100000 1970-01-01 00:00:00 b.efi\n");
}

}  // namespace

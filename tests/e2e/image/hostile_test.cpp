#include <csignal>

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "tests/e2e/image/builder.h"

namespace {

using builder_test::build;
using builder_test::exists;
using builder_test::output_of;
using testing::HasSubstr;

constexpr const char* canary = "CANARY-7f3a9";

/// Images that mean harm: a few megabytes with busybox, whose package manager and initrd generator
/// are what a test makes them. What they are after lies beside the build and is a canary.
class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "SKIPPED: not root: these images are tried on root's builds";
    }
    if (!exists("/bin/busybox")) {
      GTEST_SKIP() << "SKIPPED: no /bin/busybox (package busybox-static)";
    }
    for (const auto* name :
         {"tree/bin", "tree/etc/kernel", "tree/etc/initramfs-tools", "tree/tmp", "tree/usr/sbin",
          "tree/usr/bin", "tree/var/lib/dpkg/info", "tree/boot", "tree/lib/modules/1", "tree/root",
          "host/etc/kernel/postinst.d", "host/etc/cron.d"}) {
      base::make_directories(path(name));
    }
    output_of({"cp", "/bin/busybox", path("tree/bin/busybox")});
    for (const auto* name : {"sh", "cat", "ln", "mkfifo", "mknod", "dd", "sleep", "mkdir", "ls",
                             "mount", "true", "unshare"}) {
      link("busybox", base::cat("tree/bin/", name));
    }
    write("tree/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
    write("tree/var/lib/dpkg/status",
          "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n"
          "Package: linux-image-evil\nStatus: install ok installed\nArchitecture: amd64\n"
          "Version: 1\n");
    write("tree/var/lib/dpkg/info/linux-image-evil.list", "/boot/vmlinuz-1\n");
    write("tree/boot/vmlinuz-1", "kernel");
    write("tree/lib/modules/1/modules.dep", "");
    program("tree/usr/bin/apt-get", "exit 0");
    program("tree/usr/bin/dpkg-divert", "exit 0");
    program("tree/usr/sbin/mkinitramfs", "echo initrd >\"$2\"");
    write("host/secret", canary);
    ASSERT_EQ(::chmod(path("host/secret").c_str(), 0600), 0);
    write("host/etc/kernel/postinst.d/hook", canary);
    write("host/etc/cron.d/job", canary);
    ::setenv("SECRET_OF_THE_BUILDER", canary, 1);
    before_ = host();
  }

  void TearDown() override {
    ::unsetenv("SECRET_OF_THE_BUILDER");
    if (before_.empty()) {
      return;
    }
    EXPECT_EQ(host(), before_) << "the host was changed";
    EXPECT_EQ(base::list_directory(path("host/etc/cron.d")), std::vector<std::string>{"job"});
    if (exists(path("out"))) {
      EXPECT_EQ(found_in_output(), "") << "what is nobody's business was published";
    }
  }

  std::string path(const std::string& name) const {
    return base::cat(directory_.path(), "/", name);
  }

  void write(const std::string& name, const std::string& text) const {
    base::make_directories(base::parent_of(path(name)));
    auto file = base::open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(text);
    file.close();
  }

  void program(const std::string& name, const std::string& script) const {
    ::unlink(path(name).c_str());
    write(name, base::cat("#!/bin/sh\n", script, "\n"));
    ASSERT_EQ(::chmod(path(name).c_str(), 0755), 0);
  }

  /// In the place of whatever is there.
  void link(const std::string& target, const std::string& name) const {
    base::remove_tree(path(name + ".gone"));
    ::rename(path(name).c_str(), path(name + ".gone").c_str());
    base::remove_tree(path(name + ".gone"));
    ::unlink(path(name + ".gone").c_str());
    ASSERT_EQ(::symlink(target.c_str(), path(name).c_str()), 0) << name;
  }

  base::Outcome build_kernel(const std::vector<std::string>& more = {}) const {
    output_of({"mksquashfs", path("tree"), path("image.squashfs"), "-quiet", "-no-progress",
               "-noappend", "-comp", "gzip"});
    write("conf.yaml", "releases:\n- os: debian\n  compression: gzip\n  modules: [loop]\n");
    std::vector<std::string> words = {
        "--no-gzip",
        "--no-squashfs",
        "--conf=" + path("conf.yaml"),
        path("image.squashfs"),
        path("out/root-image.gz"),
        "--krd-pack=linux-image-evil," + path("out/kernel") + "," + path("out/initrd")};
    words.insert(words.begin(), more.begin(), more.end());
    return build(words);
  }

  /// Not published, and said why.
  void expect_refused(const base::Outcome& outcome, const std::string& name) const {
    EXPECT_EQ(outcome.status, 5) << outcome.error;
    EXPECT_THAT(outcome.error, HasSubstr(name));
    EXPECT_FALSE(exists(path("out/kernel")));
    EXPECT_FALSE(exists(path("out/initrd")));
  }

  /// Links by which the image would be at the host, had it anything of it.
  std::vector<std::string> ways_out(const std::string& to) const {
    std::vector<std::string> out = {
        path(to), base::cat("/proc/1/root", path(to)), base::cat("/../../../../..", path(to)),
        base::cat("/proc/self/root", path(to)), base::cat("/proc/self/cwd/../../..", path(to))};
    for (int fd = 3; fd < 16; ++fd) {
      out.push_back(base::cat("/proc/self/fd/", fd, "/../../../../../../..", path(to)));
    }
    return out;
  }

 private:
  std::string host() const {
    return output_of({"find", path("host"), "-printf", "%p %y %m %s %T@ %l\n"});
  }

  std::string found_in_output() const {
    base::Command command;
    command.argv = {"grep", "-rlaF", canary, path("out")};
    command.capture_output = true;
    return base::run(command).output;
  }

  base::TempDir directory_{"hostile-"};
  std::string before_;
};

TEST_F(Hostile, ImageThatDoesNothingIsBuilt) {
  const auto outcome = build_kernel();
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_EQ(base::read_file(path("out/kernel")), "kernel");
  EXPECT_EQ(base::read_file(path("out/initrd")), "initrd\n");
}

// C1: an initrd, or a kernel, that is a link.
TEST_F(Hostile, InitrdsThatAreLinksOutAreNotRead) {
  for (const auto& way : ways_out("host/secret")) {
    program("tree/usr/sbin/mkinitramfs", base::cat("ln -s ", way, " \"$2\""));
    EXPECT_NE(build_kernel().status, 0) << way;
  }
  for (const auto* way : {"/proc/self/environ", "/proc/1/environ", "/proc/self/mem"}) {
    program("tree/usr/sbin/mkinitramfs", base::cat("ln -s ", way, " \"$2\""));
    expect_refused(build_kernel(), "/boot/meph2-initrd");
  }
}

TEST_F(Hostile, KernelsThatAreLinksOutAreNotRead) {
  for (const auto* way : {"/proc/self/environ", "/proc/self/fd/3", "/dev/zero"}) {
    link(way, "tree/boot/vmlinuz-1");
    expect_refused(build_kernel(), "/boot/vmlinuz-1");
  }
}

// C1: what the builder itself writes and removes in an image.
TEST_F(Hostile, DirectoriesThatAreLinksOutAreNotWritten) {
  for (const auto& way : ways_out("host/etc")) {
    link(base::cat(way, "/kernel"), "tree/etc/kernel");
    link(base::cat(way, "/cron.d/job"), "tree/etc/initramfs-tools/modules");
    link(base::cat(way, "/nologin"), "tree/etc/resolv.conf");
    link(base::cat(way, "/cron.d/policy"), "tree/usr/sbin/policy-rc.d");
    build_kernel();  // whatever comes of it: TearDown looks at the host
  }
}

TEST_F(Hostile, FilesThatAreSwappedUnderTheBuilderAreNotFollowed) {
  ::unlink(path("tree/etc/initramfs-tools/modules").c_str());
  output_of({"mkfifo", path("tree/etc/initramfs-tools/modules")});
  expect_refused(build_kernel(), "/etc/initramfs-tools/modules");
}

// H3, H4: what never ends, and what is not there.
TEST_F(Hostile, InitrdsThatAreNoFilesAreRefusedAtOnce) {
  for (const auto* script : {"mkfifo \"$2\"", "ln -s /dev/zero \"$2\"", "mkdir \"$2\""}) {
    program("tree/usr/sbin/mkinitramfs", script);
    expect_refused(build_kernel(), "/boot/meph2-initrd");
  }
}

TEST_F(Hostile, InitrdsThatAreHolesAreRefusedByTheirSize) {
  program("tree/usr/sbin/mkinitramfs",
          "dd if=/dev/zero of=\"$2\" bs=1 count=1 seek=6G 2>/dev/null");
  const auto outcome = build_kernel();
  expect_refused(outcome, "/boot/meph2-initrd");
  EXPECT_THAT(outcome.error, HasSubstr("more than the"));
}

TEST_F(Hostile, StagesThatNeverEndAreEnded) {
  program("tree/usr/sbin/mkinitramfs", "sleep 1000 & sleep 1000");
  const auto outcome = build_kernel({"--stage-timeout=2s"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("kernel linux-image-evil"),
                                   HasSubstr("2 s that it may (--stage-timeout)")));
}

TEST_F(Hostile, ProgramsThatTalkForEverFillNoMemory) {
  program("tree/usr/sbin/mkinitramfs",
          "dd if=/dev/zero bs=1M count=300 2>/dev/null; echo initrd >\"$2\"");
  EXPECT_EQ(build_kernel({"--stage-timeout=1m"}).status, 0);
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  EXPECT_LT(used.ru_maxrss, 200 * 1024) << "KiB of the largest process";
}

// H3, M4: what is left of a build is gone, however deep it is.
TEST_F(Hostile, DeepTreesAreRemoved) {
  program("tree/usr/sbin/mkinitramfs",
          "cd /root; i=0; while [ $i -lt 1500 ]; do mkdir d; cd d || exit 1; i=$((i + 1)); done\n"
          "echo initrd >\"$2\"");
  const auto outcome = build_kernel();
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(base::list_directory(path("out")), testing::ElementsAre("initrd", "kernel"));
}

// M1, M3: what others leave where a build works.
TEST_F(Hostile, ScratchOfOthersIsNeitherWaitedForNorFollowed) {
  const auto shared = path("shared");
  base::make_directories(shared);
  ASSERT_EQ(::chmod(shared.c_str(), 0777), 0);
  link("../host", "shared/.cloudimg2eph2-evil");
  base::make_directories(shared + "/.cloudimg2eph2-other");
  write("shared/.cloudimg2eph2-other/precious", "of another account");
  ASSERT_EQ(::chown((shared + "/.cloudimg2eph2-other").c_str(), 12, 34), 0);
  const auto held = base::open_directory(shared);
  ASSERT_EQ(::flock(held.fd(), LOCK_EX), 0);
  ::setenv("TMPDIR", shared.c_str(), 1);
  const auto outcome = build_kernel({"--stage-timeout=1m"});
  ::unsetenv("TMPDIR");
  EXPECT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_TRUE(exists(shared + "/.cloudimg2eph2-other/precious"));
}

// L3: what the environment says of it does not matter.
TEST_F(Hostile, EnvironmentIsNotBelieved) {
  ::setenv("MEPH2_IN_USER_NAMESPACE", "1", 1);
  program("tree/usr/sbin/mkinitramfs", "cat /proc/self/uid_map >\"$2\"");
  const auto outcome = build_kernel();
  ::unsetenv("MEPH2_IN_USER_NAMESPACE");
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(base::read_file(path("out/initrd")),
              testing::Not(testing::MatchesRegex(" *0 +0 .*\n")));
}

TEST_F(Hostile, MountPointsThatAreLinksAreRefused) {
  for (const auto* name : {"dev", "proc", "run"}) {
    link("/etc", base::cat("tree/", name));
    expect_refused(build_kernel(), name);
    ::unlink(path(base::cat("tree/", name)).c_str());
  }
}

// C2, C3: what a program of the image may not do.
TEST_F(Hostile, ProgramsHaveFewRights) {
  program("tree/usr/sbin/mkinitramfs",
          "out=$2; cat /proc/self/status >\"$2\"; ls -l /proc/self/fd >>\"$2\" 2>&1\n"
          "mknod /tmp/disk b 7 0 2>/dev/null && echo MADE-A-NODE >>\"$2\"\n"
          "cat /proc/1/environ >>\"$2\" 2>/dev/null\n"
          "set -- /proc/1/fd/*; [ $# -le 3 ] || echo FIRST-HAS-MORE >>\"$out\"\n"
          "mount -t tmpfs x /tmp 2>/dev/null && echo MOUNTS >>\"$out\"\n"
          "unshare -U true 2>/dev/null && echo MAKES-NAMESPACES >>\"$out\"\n"
          "(echo x >/proc/sys/kernel/domainname) 2>/dev/null && echo WRITES-SYSCTL >>\"$out\"; :");
  const auto outcome = build_kernel();
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  const auto seen = base::read_file(path("out/initrd"));
  for (const auto* line :
       {"Uid:\t0\t0\t0\t0", "Groups:\t \n", "NoNewPrivs:\t1", "Seccomp:\t2",
        "CapInh:\t0000000000000000", "CapPrm:\t00000000a00401fb", "CapEff:\t00000000a00401fb",
        "CapBnd:\t00000000a00401fb", "CapAmb:\t0000000000000000"}) {
    EXPECT_THAT(seen, HasSubstr(line));
  }
  for (const auto* done :
       {"MADE-A-NODE", "FIRST-HAS-MORE", "MOUNTS", "MAKES-NAMESPACES", "WRITES-SYSCTL"}) {
    EXPECT_THAT(seen, testing::Not(HasSubstr(done)));
  }
}

// H1: what whoever started us had open.
TEST_F(Hostile, DescriptorsOfTheCallerAreNotThere) {
  const auto leak = base::open_directory("/");
  ASSERT_EQ(::fcntl(leak.fd(), F_SETFD, 0), 0);
  program("tree/usr/sbin/mkinitramfs",
          "for fd in /proc/self/fd/*; do [ \"${fd##*/}\" -gt 2 ] && [ -d \"$fd/etc\" ] && exit 7; "
          "done\n"
          "echo initrd >\"$2\"");
  EXPECT_EQ(build_kernel().status, 0);
}

// M5
TEST_F(Hostile, ManifestsHaveNoOtherLines) {
  write("tree/var/lib/dpkg/status",
        "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\x1b[2J\n");
  expect_refused(build_kernel({"--manifest=" + path("out/manifest")}), "that dpkg would take");
}

}  // namespace

#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fs/temp_dir.h"
#include "base/process/subprocess.h"
#include "tests/support/http_server.h"

namespace builder_test {

/// A small Debian 12, bootstrapped from this machine's apt sources once and kept in the build
/// directory (make-roots).
struct Roots {
  std::string debian;          ///< a squashfs that installs from those sources
  std::string local_squashfs;  ///< one that installs from a LocalArchive
  std::string local_tar;
  std::string skip_reason;  ///< why there is none; empty where there is
};

const Roots& roots();

/// While it lives, builds of the local roots find their packages: a proxy that has one archive.
class LocalArchive {
 public:
  LocalArchive();
  LocalArchive(const LocalArchive&) = delete;
  LocalArchive& operator=(const LocalArchive&) = delete;
  ~LocalArchive();

  /// The first download of the kernel stops half-way, for ever.
  void stall_kernel_once();

 private:
  support::HttpServer server_;
};

/// --conf for builds whose initrds need not fetch their root.
inline constexpr const char* quick_conf = "--conf=" FIXTURES "/builder/quick.yaml";

/// Runs the builder to its end. Options come first, then source, then packs.
base::Outcome build(const std::vector<std::string>& words);

/// What a program printed on stdout; fails the test unless it succeeds.
std::string output_of(const std::vector<std::string>& argv);

bool exists(const std::string& path);

/// The words for a kernel pack into DIRECTORY/PACKAGE/{boot-kernel,boot-initrd}.
std::string pack_option(const std::string& package, const std::string& directory);

/// A builder that runs, to be looked at and killed.
class RunningBuilder {
 public:
  /// `before`: the builder with what starts it, where it is not the built one by itself.
  explicit RunningBuilder(const std::vector<std::string>& words,
                          const std::vector<std::string>& before = {});
  RunningBuilder(const RunningBuilder&) = delete;
  RunningBuilder& operator=(const RunningBuilder&) = delete;
  ~RunningBuilder();

  /// Waits until something is there below `directory` (a path in which one * stands for a name);
  /// false once the builder ended, or after five minutes.
  bool wait_until_exists(const std::string& pattern);

  /// All processes that descend from it, itself included.
  std::vector<pid_t> family() const;

  void kill(int signal) const;

  /// 128 + signal where a signal ended it.
  int wait();

 private:
  pid_t pid_;
  bool ended_ = false;
};

/// Whether all of them are gone within ten seconds.
bool all_gone(const std::vector<pid_t>& family);

/// Whether no loop device is bound to anything below `directory` within ten seconds.
bool no_loops(const std::string& directory);

#define REQUIRE_ROOT_FS()                         \
  if (!builder_test::roots().skip_reason.empty()) \
  GTEST_SKIP() << "SKIPPED: " << builder_test::roots().skip_reason

}  // namespace builder_test

#include "base/fs/log_file.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "base/fs/temp_dir.h"

namespace base {
namespace {

TEST(LogFile, HoldsTheLines) {
  const TempDir directory("log-");
  const auto path = directory.path() + "/log";
  const Log other("other", LogLevel::info, [](LogLevel, const std::string&) { FAIL(); });
  LogFile file(path, other);
  const Log log("test", LogLevel::info, file.sink());
  log.info("one");
  log.warning("two");
  file.finish();
  EXPECT_EQ(read_file(path), "one\ntwo\n");
}

TEST(LogFile, StopsNobodyWhenTheDiskIsFull) {
  std::string said;
  const Log other("other", LogLevel::info,
                  [&](LogLevel, const std::string& line) { said += line; });
  LogFile file("/dev/full", other);
  const Log log("test", LogLevel::info, file.sink());
  EXPECT_NO_THROW(log.info("published"));
  EXPECT_NO_THROW(log.info("and told so"));
  EXPECT_EQ(said, "write /dev/full: No space left on device; the log ends");
  try {
    file.finish();
    FAIL() << "nobody was told";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::cleanup_incomplete);
    EXPECT_EQ(error.sys_errno(), ENOSPC);
  }
}

}  // namespace
}  // namespace base

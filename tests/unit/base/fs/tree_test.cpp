#include "base/fs/tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/atomic_file.h"
#include "base/fs/file_lock.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"

namespace {

using testing::UnorderedElementsAre;

TEST(WalkEntries, MeetsEverythingOnceAndFollowsNoLink) {
  const base::TempDir scratch("walk-");
  base::make_directories(scratch.path() + "/a/b");
  base::make_directories(scratch.path() + "/shut");
  base::replace_file(scratch.path() + "/a/b/file", "x");
  base::replace_file(scratch.path() + "/shut/file", "x");
  ASSERT_EQ(::symlink("a", (scratch.path() + "/link").c_str()), 0);
  ASSERT_EQ(::mkfifo((scratch.path() + "/fifo").c_str(), 0644), 0);
  const auto root = base::open_directory(scratch.path());
  std::vector<std::string> met;
  base::walk_entries(root.fd(), [&](const base::Entry& entry) {
    EXPECT_TRUE(base::exists_at(entry.dirfd, entry.name));
    met.push_back(base::cat(entry.path, " ", static_cast<int>(entry.kind)));
    return entry.name != "shut";
  });
  EXPECT_THAT(met,
              UnorderedElementsAre("a 1", "a/b 1", "a/b/file 0", "shut 1", "link 2", "fifo 3"));
}

TEST(FileLock, TellsWhetherItIsFreeWithoutTouchingIt) {
  const base::TempDir scratch("lock-");
  const auto root = base::open_directory(scratch.path());
  EXPECT_TRUE(base::lock_is_free(root.fd(), "lock"));
  EXPECT_FALSE(base::exists_at(root.fd(), "lock"));
  for (const auto mode : {base::LockMode::shared, base::LockMode::exclusive}) {
    base::FileLock held(root.fd(), "lock", mode, std::chrono::seconds(0));
    EXPECT_FALSE(base::lock_is_free(root.fd(), "lock"));
    held.release();
    EXPECT_TRUE(base::lock_is_free(root.fd(), "lock"));
  }
}

TEST(RealPath, IsFreeOfLinks) {
  const base::TempDir scratch("real-");
  base::make_directories(scratch.path() + "/a");
  ASSERT_EQ(::symlink("a", (scratch.path() + "/link").c_str()), 0);
  const auto direct = base::open_directory(scratch.path() + "/a");
  const auto linked = base::open_directory(scratch.path() + "/link");
  EXPECT_TRUE(base::real_path(linked.fd()).ends_with("/a"));
  EXPECT_TRUE(base::same_file(direct.fd(), linked.fd()));
  EXPECT_FALSE(base::same_file(direct.fd(), base::open_directory(scratch.path()).fd()));
}

}  // namespace

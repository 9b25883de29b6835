#include "base/fs/parent_cache.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/path.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"

namespace {

using base::ParentCache;

struct Below {
  base::TempDir scratch{"parents-"};
  base::File root = base::open_directory(scratch.path());

  std::string path(const std::string& name) const { return scratch.path() + "/" + name; }
};

TEST(Path, IsADirectoryAndAName) {
  struct Case {
    const char* path;
    const char* parent;
    const char* name;
  };

  for (const auto& [path, parent, name] : {Case{"a/b/c", "a/b", "c"}, Case{"a", ".", "a"},
                                           Case{"/a", "/", "a"}, Case{"/a/b", "/a", "b"}}) {
    EXPECT_EQ(base::parent_of(path), parent) << path;
    EXPECT_EQ(base::base_name(path), name) << path;
  }
}

TEST(ParentCache, KeepsDirectoriesOpenAndRemembersThatOneIsMissing) {
  const Below world;
  base::make_directories(world.path("a"));
  ParentCache parents;
  EXPECT_FALSE(parents.of(world.root.fd(), "b/file"));
  const int kept = parents.of(world.root.fd(), "a/one").fd();
  ASSERT_GE(kept, 0);
  EXPECT_TRUE(base::same_file(parents.of(world.root.fd(), "file").fd(), world.root.fd()));
  base::rename_at(world.root.fd(), "a", world.root.fd(), "b");
  EXPECT_EQ(parents.of(world.root.fd(), "a/two").fd(), kept);
  EXPECT_FALSE(parents.of(world.root.fd(), "b/two")) << "as it was when it was looked for";
  EXPECT_TRUE(ParentCache().of(world.root.fd(), "b/two"));
}

TEST(ParentCache, TellsOneRootFromAnother) {
  const Below one;
  const Below other;
  base::make_directories(one.path("a"));
  ParentCache parents;
  EXPECT_TRUE(parents.of(one.root.fd(), "a/file"));
  EXPECT_FALSE(parents.of(other.root.fd(), "a/file"));
}

TEST(ParentCache, MakesDirectoriesWhereItIsTold) {
  const Below world;
  ParentCache parents(ParentCache::Absent::made);
  EXPECT_TRUE(parents.of(world.root.fd(), "a/b/file"));
  EXPECT_TRUE(base::exists_at(world.root.fd(), "a/b"));
  base::rename_at(world.root.fd(), "a", world.root.fd(), "c");
  parents.sync();
  EXPECT_TRUE(parents.of(world.root.fd(), "a/b/file"));
  EXPECT_TRUE(base::exists_at(world.root.fd(), "a/b")) << "nothing is remembered after sync()";
}

TEST(ParentCache, HoldsFewDirectoriesOpen) {
  const Below world;
  for (const auto absent : {ParentCache::Absent::left, ParentCache::Absent::made}) {
    ParentCache parents(absent);
    for (int i = 0; i < 200; ++i) {
      const auto name = base::cat("d", i, "/file");
      base::make_directories(world.path(base::parent_of(name)));
      EXPECT_LT(parents.of(world.root.fd(), name).fd(), 150) << i;
    }
  }
}

TEST(ParentCache, OpensNothingThroughALinkOrAFile) {
  const Below world;
  base::replace_file(world.path("file"), "x");
  ASSERT_EQ(::symlink(".", world.path("link").c_str()), 0);
  ParentCache parents;
  EXPECT_THROW(parents.of(world.root.fd(), "file/a"), base::Error);
  EXPECT_THROW(parents.of(world.root.fd(), "link/a"), base::Error);
  EXPECT_THROW(parents.of(world.root.fd(), "../a"), base::Error);
}

TEST(StatusOf, TellsWhatIsThere) {
  const Below world;
  base::replace_file(world.path("file"), "text");
  ASSERT_EQ(::symlink("file", world.path("link").c_str()), 0);
  const int root = world.root.fd();
  EXPECT_EQ(base::status_of(root, "file")->st_size, 4);
  EXPECT_TRUE(S_ISLNK(base::status_of(root, "link")->st_mode));
  EXPECT_FALSE(base::status_of(root, "absent"));
  EXPECT_FALSE(base::status_of(root, "file/a"));
  EXPECT_THROW(base::status_of(root, std::string(300, 'a')), base::Error);
  EXPECT_TRUE(base::is_file_at(root, "file"));
  EXPECT_FALSE(base::is_file_at(root, "link"));
  EXPECT_FALSE(base::is_file_at(root, "."));
  EXPECT_FALSE(base::is_file_at(root, "absent"));
  EXPECT_TRUE(base::make_if_absent_at(root, "directory"));
  EXPECT_FALSE(base::make_if_absent_at(root, "directory"));
  EXPECT_THROW(base::make_if_absent_at(root, "absent/directory"), base::Error);
  EXPECT_THROW(base::open_directory_at(root, "link"), base::Error);
}

}  // namespace

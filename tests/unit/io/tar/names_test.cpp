#include "io/tar/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace io {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& action) {
  return support::refused(base::Errc::untrusted, [&] { action(); });
}

TEST(EntryName, IsMadeNormal) {
  EXPECT_EQ(normal_entry_name("./"), "");
  EXPECT_EQ(normal_entry_name("."), "");
  EXPECT_EQ(normal_entry_name("./usr//lib/./x/"), "usr/lib/x");
  EXPECT_EQ(normal_entry_name("etc/system\\x2dslice"), "etc/system\\x2dslice");
  EXPECT_EQ(normal_entry_name("caf\xe9/..."), "caf\xe9/...");
}

TEST(EntryName, ThatLeadsOutIsRefused) {
  EXPECT_THAT(refusal([] { normal_entry_name("../x"); }), HasSubstr("leads out"));
  EXPECT_THAT(refusal([] { normal_entry_name("a/../../x"); }), HasSubstr("leads out"));
  EXPECT_THAT(refusal([] { normal_entry_name("a/.."); }), HasSubstr("leads out"));
  EXPECT_THAT(refusal([] { normal_entry_name("/etc/passwd"); }), HasSubstr("absolute"));
  EXPECT_THAT(refusal([] { normal_entry_name(""); }), HasSubstr("empty name"));
  EXPECT_THAT(refusal([] { normal_entry_name(std::string(256, 'a')); }), HasSubstr("255"));
  EXPECT_THAT(refusal([] { normal_entry_name("a\x1b[2J/../x"); }), HasSubstr("a\\x1b[2J"));
}

TEST(EntryNames, AcceptWhatATarProgramWrites) {
  EntryNames names;
  names.add("dev/null", EntryKind::other);  // before its directory, as mmdebstrap does
  names.add("dev", EntryKind::directory);
  names.add("", EntryKind::directory);
  names.add("usr", EntryKind::directory);
  names.add("usr/bin", EntryKind::directory);
  names.add("bin", EntryKind::symlink);
  names.add("usr/bin/a", EntryKind::other);
  names.require_link_target("usr/bin/b", "usr/bin/a");
  names.add("usr/bin/b", EntryKind::other);
}

TEST(EntryNames, RefuseANameBelowASymlink) {
  EntryNames names;
  names.add("bin", EntryKind::symlink);
  EXPECT_THAT(refusal([&] { names.add("bin/sh", EntryKind::other); }),
              HasSubstr("is below 'bin', which is a symlink"));
}

TEST(EntryNames, RefuseANameBelowAFile) {
  EntryNames names;
  names.add("a", EntryKind::other);
  EXPECT_THAT(refusal([&] { names.add("a/b", EntryKind::other); }), HasSubstr("no directory"));
}

TEST(EntryNames, RefuseANameThatComesTwice) {
  EntryNames names;
  names.add("a", EntryKind::symlink);
  EXPECT_THAT(refusal([&] { names.add("a", EntryKind::other); }), HasSubstr("comes twice"));
  names.add("d", EntryKind::directory);
  EXPECT_THAT(refusal([&] { names.add("d", EntryKind::directory); }), HasSubstr("comes twice"));
}

TEST(EntryNames, RefuseASymlinkInThePlaceOfADirectoryThatIsInUse) {
  EntryNames names;
  names.add("etc/passwd", EntryKind::other);
  EXPECT_THAT(refusal([&] { names.add("etc", EntryKind::symlink); }),
              HasSubstr("an earlier entry is below it"));
}

TEST(EntryNames, RefuseHardLinksToNothing) {
  EntryNames names;
  names.add("d", EntryKind::directory);
  EXPECT_THAT(refusal([&] { names.require_link_target("x", "etc/shadow"); }),
              HasSubstr("which no earlier entry is"));
  EXPECT_THAT(refusal([&] { names.require_link_target("x", "d"); }), HasSubstr("directory"));
}

}  // namespace
}  // namespace io

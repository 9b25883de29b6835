#include "sstream/staging/file_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"

namespace {

using base::Errc;
using sstream::FileEntry;
using sstream::FileList;
using sstream::Naming;
using testing::HasSubstr;

FileEntry listed(const std::string& path, char digit, std::uint64_t size = 5) {
  FileEntry file;
  file.file.path = path;
  file.file.expected.size = size;
  file.file.expected.sha256 = std::string(64, digit);
  file.file.origin = "http://one/" + path;
  file.file.mirrors = {"http://two/" + path};
  file.item = {"product", "version", path};
  return file;
}

TEST(FileList, GivesBackWhatWasAddedEqualContentTogether) {
  FileList files;
  for (unsigned i = 0; i < 3000; ++i) {
    auto file = listed(base::cat("dir/", i), i % 3 == 0 ? 'a' : 'b', i % 3 == 1 ? i + 1 : 5);
    file.file.known = i % 2 == 0;
    file.file.replace = i % 5 == 0;
    file.file.may_link = i % 7 == 0;
    files.add(file);
  }
  EXPECT_EQ(files.size(), 3000U);
  EXPECT_EQ(files.contents(), 1001U);  // of five bytes of b there are other files as well
  std::vector<std::string> seen;
  std::set<std::string> done;
  std::string last;
  files.for_each([&](const FileEntry& file) {
    const auto i = *base::parse_decimal(file.file.path.substr(4));
    EXPECT_EQ(file.file.known, i % 2 == 0);
    EXPECT_EQ(file.file.replace, i % 5 == 0);
    EXPECT_EQ(file.file.may_link, i % 7 == 0);
    EXPECT_EQ(file.file.origin, "http://one/" + file.file.path);
    EXPECT_THAT(file.file.mirrors, testing::ElementsAre("http://two/" + file.file.path));
    EXPECT_EQ(file.item.text(), "product/version/" + file.file.path);
    const auto content = base::cat(file.file.expected.sha256, file.file.expected.size);
    if (content != last) {
      EXPECT_TRUE(done.insert(content).second) << file.file.path;
      last = content;
    }
    seen.push_back(file.file.path);
  });
  EXPECT_EQ(seen.size(), 3000U);
  EXPECT_EQ(seen.front(), "dir/0");
  EXPECT_EQ(seen.at(1), "dir/3");
}

TEST(FileList, WhatComesInBatchesIsReplacedLast) {
  for (const auto naming : {Naming::at_the_end, Naming::as_they_come}) {
    FileList files(naming);
    for (const auto& [path, digit] :
         {std::pair("old/1", 'a'), std::pair("new/1", 'b'), std::pair("new/2", 'a')}) {
      auto file = listed(path, digit);
      file.file.replace = file.file.path.starts_with("old");
      files.add(file);
    }
    const bool late = naming == Naming::as_they_come;
    EXPECT_EQ(files.contents(), late ? 3U : 2U);
    EXPECT_EQ(files.content_bytes(), late ? 15U : 10U);
    EXPECT_EQ(files.bytes(), 15U);
    std::vector<std::string> paths;
    files.for_each([&](const FileEntry& file) { paths.push_back(file.file.path); });
    EXPECT_EQ(paths, late ? (std::vector<std::string>{"new/1", "new/2", "old/1"})
                          : (std::vector<std::string>{"old/1", "new/2", "new/1"}));
  }
}

/// The name of a directory may have what ends a line or a field elsewhere.
TEST(FileList, AnOriginMayBeCalledAnything) {
  FileList files;
  const std::vector<std::string> origins = {"/a\tb\nc/d", "", std::string(20'000, 'x'), "/\xff"};
  for (std::size_t i = 0; i < origins.size(); ++i) {
    sstream::NewFile file;
    file.path = base::cat(i);
    file.expected.sha256 = std::string(64, 'a');
    file.origin = origins[i];
    files.add(file);
  }
  const auto all = files.files();
  ASSERT_EQ(all.size(), origins.size());
  for (std::size_t i = 0; i < origins.size(); ++i) {
    EXPECT_EQ(all[i].origin, origins[i]);
    EXPECT_TRUE(all[i].mirrors.empty());
  }
}

std::string refusal(FileList& files, const FileEntry& liar, Errc code) {
  try {
    files.add(liar);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return {};
}

TEST(FileList, TwoItemsMayNotPromiseDifferentContentOfOnePath) {
  for (const auto naming : {Naming::at_the_end, Naming::as_they_come}) {
    const bool all = naming == Naming::as_they_come;
    FileList files(naming);
    files.add(listed("a", '1'));
    files.add(listed("b", '2'));
    files.add(listed("a", '1'));  // shared: fine
    for (const auto& liar : {listed("a", '3'), listed("a", '1', 6)}) {
      EXPECT_THAT(refusal(files, liar, all ? Errc::untrusted : Errc::conflict),
                  HasSubstr(all ? "a: product/version/a promises 1111"
                                : "a: is there already with other content (two items name it"));
    }
    auto more = listed("a", '1');
    more.file.expected.md5 = std::string(32, 'd');
    EXPECT_EQ(refusal(files, more, Errc::untrusted).empty(), !all);
    EXPECT_EQ(files.size(), 2U);
  }
}

}  // namespace

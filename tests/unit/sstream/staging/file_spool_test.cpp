#include "sstream/staging/file_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using sstream::FileSpool;
using sstream::ListedFile;
using testing::HasSubstr;

ListedFile listed(const std::string& path, char digit, std::uint64_t size = 5) {
  ListedFile file;
  file.file.path = path;
  file.file.expected.size = size;
  file.file.expected.sha256 = std::string(64, digit);
  file.item = {"product", "version", path};
  return file;
}

FileSpool spool() {
  return FileSpool([](const std::string& path) {
    return std::vector<std::string>{"http://one/" + path, "http://two/" + path};
  });
}

TEST(FileSpool, GivesBackWhatWasAddedEqualContentTogether) {
  auto files = spool();
  for (unsigned i = 0; i < 3000; ++i) {
    auto file = listed(base::cat("dir/", i), i % 3 == 0 ? 'a' : 'b', i % 3 == 1 ? i + 1 : 5);
    file.file.known = i % 2 == 0;
    file.file.replace = i % 5 == 0;
    files.add(file);
  }
  EXPECT_EQ(files.size(), 3000U);
  EXPECT_EQ(files.contents(), 1001U);  // of five bytes of b there are other files as well
  std::vector<std::string> seen;
  std::set<std::string> done;
  std::string last;
  files.for_each([&](const ListedFile& file) {
    const auto i = *base::parse_decimal(file.file.path.substr(4));
    EXPECT_EQ(file.file.known, i % 2 == 0);
    EXPECT_EQ(file.file.replace, i % 5 == 0);
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

/// docs/format.md 7.1, D16.
TEST(FileSpool, TwoItemsMayNotPromiseDifferentContentOfOnePath) {
  auto files = spool();
  files.add(listed("a", '1'));
  files.add(listed("b", '2'));
  files.add(listed("a", '1'));  // shared: fine
  EXPECT_EQ(files.size(), 2U);
  for (const auto& liar : {listed("a", '3'), listed("a", '1', 6)}) {
    EXPECT_THAT(support::refused(base::Errc::untrusted, [&] { files.add(liar); }),
                HasSubstr("a: product/version/a promises 1111"));
  }
}

}  // namespace

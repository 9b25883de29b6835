#include "sstream/spool.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace {

using sstream::Spool;

TEST(Spool, GivesBackWhatWasAddedInAnyOrderAndWhileItGrows) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  Spool spool("spool");
  std::vector<std::pair<std::uint64_t, std::string>> added;
  for (int i = 0; i < 2000; ++i) {
    // Some are larger than what is read, and what is written, at once.
    const auto size = i % 500 == 7 ? 100'000 : random() % 300;
    std::string text(size, static_cast<char>('a' + i % 26));
    added.emplace_back(spool.append(text + "\n"), text);
    const auto& [offset, line] = added.at(random() % added.size());
    ASSERT_EQ(spool.line(offset), line);
    ASSERT_EQ(spool.piece(offset, line.size() + 1), line + "\n");
  }
  for (const auto& [offset, line] : added) {
    ASSERT_EQ(spool.line(offset), line);
  }
  EXPECT_EQ(spool.end(), added.back().first + added.back().second.size() + 1);
}

TEST(Spool, SaysWhatIsNotThere) {
  Spool spool("spool of things");
  spool.append("one\ntwo");
  EXPECT_EQ(spool.piece(4, 3), "two");
  for (const auto& read :
       {+[](Spool& from) { from.piece(4, 4); }, +[](Spool& from) { from.line(4); },
        +[](Spool& from) { from.piece(100, 1); }}) {
    try {
      read(spool);
      FAIL();
    } catch (const base::Error& error) {
      EXPECT_STREQ(error.what(), "spool of things: is cut short");
    }
  }
  EXPECT_EQ(spool.line(0), "one");
}

}  // namespace

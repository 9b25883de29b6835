#include "sstream/staging/spool.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace {

using sstream::Spool;

struct Added {
  std::uint64_t offset;
  std::string line;
};

bool gives_back(Spool& spool, const Added& added) {
  return spool.piece(added.offset, added.line.size() + 1) == added.line + "\n";
}

TEST(Spool, GivesBackWhatWasAddedInAnyOrderAndWhileItGrows) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
  Spool spool("spool");
  std::vector<Added> all;
  for (int i = 0; i < 2000; ++i) {
    // Some are larger than what is read, and what is written, at once.
    const auto size = i % 500 == 7 ? 100'000 : random() % 300;
    const std::string line(size, static_cast<char>('a' + i % 26));
    all.push_back({spool.append(line + "\n"), line});
    EXPECT_TRUE(gives_back(spool, all.at(random() % all.size())));
  }
  EXPECT_TRUE(std::all_of(all.begin(), all.end(),
                          [&](const Added& added) { return gives_back(spool, added); }));
  EXPECT_EQ(spool.end(), all.back().offset + all.back().line.size() + 1);
}

TEST(Spool, SaysWhatIsNotThere) {
  Spool spool("spool of things");
  spool.append("one\ntwo");
  EXPECT_EQ(spool.piece(4, 3), "two");
  for (const auto& read :
       {+[](Spool& from) { from.piece(4, 4); }, +[](Spool& from) { from.piece(100, 1); }}) {
    EXPECT_STREQ(support::refused([&] { read(spool); }).what(), "spool of things: is cut short");
  }
  EXPECT_EQ(spool.piece(0, 3), "one");
}

}  // namespace

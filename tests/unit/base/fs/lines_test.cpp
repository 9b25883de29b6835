#include "base/fs/lines.h"

#include <gtest/gtest.h>

#include "base/fs/temp_dir.h"

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  auto file = base::unnamed_file("text");
  file.write(text);
  base::Lines lines(file);
  std::vector<std::string> all;
  std::string_view line;
  while (lines.next(line)) {
    all.emplace_back(line);
  }
  return all;
}

TEST(Lines, AreReadWithoutTheirEnds) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(lines_of(""), Texts());
  EXPECT_EQ(lines_of("\n"), Texts({""}));
  EXPECT_EQ(lines_of("a\n\nb"), Texts({"a", "", "b"}));
  EXPECT_EQ(lines_of("a\r\nb\n"), Texts({"a\r", "b"}));
}

/// Across the ends of the buffer, and longer than it.
TEST(Lines, MayBeOfAnyLength) {
  std::vector<std::string> wanted;
  std::string text;
  for (const std::size_t length : {262'143U, 1U, 262'144U, 0U, 1'000'000U, 7U}) {
    wanted.emplace_back(length, static_cast<char>('a' + wanted.size()));
    text += wanted.back() + "\n";
  }
  EXPECT_EQ(lines_of(text), wanted);
}

}  // namespace

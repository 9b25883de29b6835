#include "meph2/apt/deb822.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace meph2::apt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Deb822, ReadsFieldsWhateverTheirCaseAndFoldedOnes) {
  std::vector<std::string> names;
  for_each_paragraph("Package: a\nDescription: one\n two\n  three\n\n\nPACKAGE:b\n", "n",
                     [&](const Paragraph& paragraph) {
                       names.emplace_back(paragraph.value("package"));
                       if (names.size() == 1) {
                         EXPECT_EQ(paragraph.line(), 1U);
                         EXPECT_EQ(paragraph.value("Description"), "one\n two\n  three");
                         EXPECT_THAT(paragraph.lines("Description"), ElementsAre("two", "three"));
                         EXPECT_FALSE(paragraph.has("Version"));
                       } else {
                         EXPECT_EQ(paragraph.line(), 7U);
                       }
                     });
  EXPECT_THAT(names, ElementsAre("a", "b"));
}

void refused(std::string_view text, const std::string& reason) {
  const auto said = support::refused(
      base::Errc::untrusted, [&] { for_each_paragraph(text, "n", [](const Paragraph&) {}); });
  EXPECT_THAT(said, HasSubstr(reason));
}

TEST(Deb822, NamesTheLineOfWhatItRefuses) {
  refused("Package: a\nrubbish\n", "n:2: 'Field: value' expected");
  refused(" folded\n", "n:1: a folded line");
  refused("A: 1\nB: 2\na: 3\n", "n:3: field 'a' comes twice");
  refused(": x\n", "n:1: 'Field: value' expected");
  refused(std::string_view("A: \0\n", 5), "n:1:");
}

TEST(Deb822, OneParagraphIsOne) {
  EXPECT_EQ(one_paragraph("\nA: 1\n\n", "n").value("A"), "1");
  EXPECT_THROW(one_paragraph("A: 1\n\nB: 2\n", "n"), base::Error);
  EXPECT_THROW(one_paragraph("\n", "n"), base::Error);
}

}  // namespace
}  // namespace meph2::apt

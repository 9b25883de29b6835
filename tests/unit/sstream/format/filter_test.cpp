#include "sstream/format/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using sstream::Filter;
using sstream::Filters;
using testing::HasSubstr;

/// The same verdict as the established tools' grammar with Python's re, or a refusal: never another
/// verdict.
TEST(Filter, AgreesWithTheRecordedVerdicts) {
  const Json records = io::parse_json(base::read_file(FIXTURES "/streams/filters.json"), "filters");
  ASSERT_GT(records.size(), 2000U);
  std::size_t refused = 0;
  for (const auto& record : records) {
    const auto expression = record[0].get<std::string>();
    try {
      const Filter filter(expression);
      const bool matches = filter.matches(record[1].get<std::string>());
      ASSERT_NE(record[2], "error") << "accepted: " << expression;
      ASSERT_EQ(matches, record[2].get<bool>()) << expression << " on " << record[1];
    } catch (const base::Error& error) {
      ASSERT_EQ(error.code(), base::Errc::usage);
      refused += record[2] == "error" ? 0U : 1U;
      EXPECT_EQ(record[2], "error") << expression << ": " << error.what();
    }
  }
  EXPECT_EQ(refused, 0U);
}

std::string filter_refusal(const std::string& expression) {
  return support::refused(base::Errc::usage, [&] { const Filter filter(expression); });
}

TEST(Filter, SaysWhatItCannotParse) {
  EXPECT_EQ(filter_refusal("arch"), "Unable to parse expression arch");
  EXPECT_THAT(filter_refusal("k~("), HasSubstr("Unable to parse expression k~(: "));
}

/// Syntax that only one of Python and the engine knows, or that means something else to it.
TEST(Filter, RefusesSyntaxThatIsNotShared) {
  for (const char* expression :
       {"k~\\Qa\\E", "k~\\K",       "k~\\R",         "k~\\h",    "k~\\z",
        "k~\\p{L}",  "k~\\N",       "k~\\xZZ",       "k~\\0",    "k~(a)\\10",
        "k~[\\1]",   "k~[\\A]",     "k~[[:alpha:]]", "k~[a",     "k~a\\",
        "k~(?<n>a)", "k~(?R)",      "k~(a)(?1)",     "k~(?&n)",  "k~(*UTF)a",
        "k~(*a)",    "k~*a",        "k~^*",          "k~a|*",    "k~(?L)a",
        "k~(?x)a",   "k~a(?i)b",    "k~(?#a",        "k~a)",     "k~a**",
        "k~a{2}{3}", "k~a???",      "k~(a\\1)",      "k~\\1(a)", "k~(?P=n)(?P<n>a)",
        "k~(?P<>a)", "k~(?(1)a|b)", "k~(?P<1a>b)"}) {
    EXPECT_THAT(filter_refusal(expression), HasSubstr("Unable to parse")) << expression;
  }
  filter_refusal("k~" + std::string(1001, 'a'));
}

TEST(Filter, KnowsWhatPythonKnows) {
  struct {
    const char* expression;
    const char* hit;
    const char* miss;
  } const filters[] = {
      {"k~a\\Z", "ba", "a\n"},
      {"k~a$", "a\n", "ab"},
      {"k~\\Aa", "ab", "ba"},
      {"k~(?P<n>[ab])-(?P=n)", "a-a", "a-b"},
      {"k~(?<=a)b", "ab", "bb"},
      {"k~(?<!a)b", "cb", "ab"},
      {"k~a(?=b)", "ab", "ac"},
      {"k~a(?#comment)+b", "aab", "b"},
      {"k~(?s)a.b", "a\nb", "ab"},
      {"k~(?i:A)b", "ab", "aB"},
      {"k~(?i)STRASSE", "strasse", "strase"},
      {"k~^[]a]$", "]", "b"},
      {"k~^[^]a]$", "b", "]"},
      {"k~^x{,2}$", "xx", "xxx"},
      {"k~^x{,}$", "xxx", "y"},
      {"k~^x{$", "x{", "x"},
      {"k~^(?>a+)b", "aab", "aa"},
      {"k~^(a)?(?(1)b|c)$", "ab", "ac"},
      {"k~^(?P<n>a)?(?(n)b|c)$", "c", "ac"},
      {"k~^\\u00e9.$", "éé", "é"},
      {"k~^\\x41\\v$", "A\x0b", "A\n"},
      {"k~^\\w\\b$", "é", "-"},
  };

  for (const auto& each : filters) {
    EXPECT_TRUE(Filter(each.expression).matches(each.hit)) << each.expression;
    EXPECT_FALSE(Filter(each.expression).matches(each.miss)) << each.expression;
  }
}

TEST(Filter, StaysFast) {
  const Filter bomb("k~^(a|aa|a*)*$");
  EXPECT_FALSE(bomb.matches(std::string(4095, 'a') + "b"));
  EXPECT_TRUE(bomb.matches(std::string(4096, 'a')));
  EXPECT_FALSE(Filter("k~a").matches(std::string(1000000, 'b') + "\xff"));
  EXPECT_FALSE(Filter("k=a").matches(std::string(1000000, 'a')));
}

/// Only back-references can explode.
TEST(Filter, GivesUpOnWhatExplodes) {
  const Filter back("k~^(a|aa)*\\1c$");
  EXPECT_TRUE(back.matches("aaac"));
  EXPECT_THAT(
      support::refused(base::Errc::usage,
                       [&] { static_cast<void>(back.matches(std::string(60, 'a') + "cb")); }),
      HasSubstr("filter k~^(a|aa)*\\1c$: takes too long to search: match limit exceeded"));
}

TEST(Filters, AllMustMatchTheInheritedTags) {
  const auto tree = sstream::ProductTree::parse(
      R"({"format": "products:1.0", "content_id": "c", "datatype": "d", "products":
          {"p": {"arch": "amd64", "size": 5, "versions": {"v": {"on": true, "items":
            {"i": {"ftype": "squashfs", "product_name": "spoofed"}}}}}}})",
      "f");
  const auto matches = [&](const std::vector<std::string>& expressions) {
    bool result = false;
    tree.for_each_item([&](const sstream::Item& item) {
      result = Filters(expressions).matches(item);
      EXPECT_EQ(Filters(expressions).matches(item.tags()), result);
    });
    return result;
  };
  EXPECT_TRUE(matches({}));
  EXPECT_TRUE(matches({"arch=amd64", "ftype~squash", "content_id=c", "datatype=d"}));
  EXPECT_FALSE(matches({"arch=amd64", "ftype=other"}));
  EXPECT_TRUE(matches({"product_name=p", "version_name=v", "item_name=i"}));
  EXPECT_TRUE(matches({"on=True", "size=5", "absent=", "absent!=x"}));
  EXPECT_FALSE(matches({"absent~."}));
  EXPECT_THROW(Filters({"a=b", "?"}), base::Error);
}

}  // namespace

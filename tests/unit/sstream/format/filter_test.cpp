#include "sstream/format/filter.h"

#include <array>
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"

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

std::string refusal(const std::string& expression) {
  try {
    const Filter filter(expression);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::usage);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << expression;
  return {};
}

TEST(Filter, SaysWhatItCannotParse) {
  EXPECT_EQ(refusal("arch"), "Unable to parse expression arch");
  EXPECT_THAT(refusal("k~("), HasSubstr("Unable to parse expression k~(: "));
}

/// Syntax that Python does not have, or reads otherwise than the engine.
TEST(Filter, RefusesSyntaxThatIsNotShared) {
  for (const char* expression :
       {"k~a++", "k~\\xZZ", "k~\\N", "k~\\h", "k~\\K", "k~\\Qa", "k~[[:alpha:]]", "k~a{2}{3}",
        "k~a???", "k~(?R)", "k~(?>a)", "k~(?|a)", "k~(*LIMIT_MATCH=9)a", "k~a(?i)", "k~(?<n>a)",
        "k~\xff"}) {
    EXPECT_THAT(refusal(expression), HasSubstr("Unable to parse")) << expression;
  }
  refusal("k~" + std::string(1001, 'a'));
}

/// Each expression, a value that it is found in, and one that it is not.
TEST(Filter, ReadsWhatPythonReads) {
  const std::vector<std::array<std::string, 3>> cases = {{"k~a\\Z", "ba", "a\n"},
                                                         {"k~a$", "a\n", "ab"},
                                                         {"k~\\Aa", "ab", "ba"},
                                                         {"k~(?P<n>a)(?P=n)", "aa", "a"},
                                                         {"k~(?<=a)b", "ab", "b"},
                                                         {"k~(?<!a)b", "cb", "ab"},
                                                         {"k~(?s)a.b", "a\nb", "ab"},
                                                         {"k~a.b",
                                                          "a\xc3\xa9"
                                                          "b",
                                                          "a\nb"},
                                                         {"k~(?#x)a", "a", "x"},
                                                         {"k~[]a]", "]", "b"},
                                                         {"k~[^]a]", "b", "]"},
                                                         {"k~x{", "x{", "x"},
                                                         {"k~^\\w$", "\xc3\xa9", "-"},
                                                         {"k~(?i)\xc3\xa9", "\xc3\x89", "e"}};
  for (const auto& [expression, match, other] : cases) {
    EXPECT_TRUE(Filter(expression).matches(match)) << expression;
    EXPECT_FALSE(Filter(expression).matches(other)) << expression;
  }
}

TEST(Filter, AnExpressionThatExplodesIsRefusedByName) {
  EXPECT_FALSE(Filter("k~^(a|aa|a*)*$").matches(std::string(4095, 'a') + "b"));
  const Filter bomb("k~^(a|aa|a*)*\\1c$");
  const auto started = std::chrono::steady_clock::now();
  try {
    static_cast<void>(bomb.matches(std::string(4093, 'a') + "bc"));
    ADD_FAILURE() << "searched";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::usage);
    EXPECT_THAT(error.what(), HasSubstr("k~^(a|aa|a*)*\\1c$: match limit"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_TRUE(Filter("k~^(.)(.|x)*\\1$").matches(std::string(500, 'a')));
  try {
    static_cast<void>(bomb.matches(std::string(4097, 'a')));
    ADD_FAILURE() << "searched";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted);
  }
  EXPECT_FALSE(Filter("k=a").matches(std::string(1000000, 'a')));
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

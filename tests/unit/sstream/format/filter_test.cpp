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

std::string refusal(const std::string& expression) {
  return support::refused(base::Errc::usage, [&] { const Filter filter(expression); });
}

TEST(Filter, SaysWhatItCannotParse) {
  EXPECT_EQ(refusal("arch"), "Unable to parse expression arch");
  EXPECT_THAT(refusal("k~("), HasSubstr("Unable to parse expression k~(: "));
}

/// Syntax that Python has and the engine would take for something else.
TEST(Filter, RefusesSyntaxThatIsNotShared) {
  for (const char* expression :
       {"k~a\\Z", "k~\\Aa", "k~\\a", "k~(?P<n>a)", "k~(?<=a)b", "k~(?#x)", "k~(?s).", "k~a++",
        "k~[]a]", "k~[^]a]", "k~\\xZZ", "k~\\N", "k~x{", "k~[[:alpha:]]", "k~a{2}{3}", "k~a???"}) {
    EXPECT_THAT(refusal(expression), HasSubstr("Unable to parse")) << expression;
  }
  refusal("k~" + std::string(1001, 'a'));
}

TEST(Filter, StaysFastAndWithinItsStack) {
  const Filter bomb("k~^(a|aa|a*)*$");
  EXPECT_FALSE(bomb.matches(std::string(4095, 'a') + "b"));
  EXPECT_TRUE(bomb.matches(std::string(4096, 'a')));
  const Filter back("k~^(.)(.|x)*\\1$");
  EXPECT_TRUE(back.matches(std::string(500, 'a')));
  support::refused(base::Errc::untrusted,
                   [&] { static_cast<void>(bomb.matches(std::string(4097, 'a'))); });
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

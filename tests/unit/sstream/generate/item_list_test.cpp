#include "sstream/generate/item_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using sstream::ListFormat;
using testing::HasSubstr;

std::vector<sstream::ItemRecord> parse(const std::string& text, const std::string& id = {}) {
  return sstream::parse_items(text, "list", ListFormat::detect, id);
}

std::string refusal(const std::string& text) {
  return support::refused(base::Errc::untrusted, [&] { parse(text); });
}

const std::string sha(64, 'A');

TEST(ItemList, ReadsWhatTheEstablishedToolsRead) {
  const auto tab = parse("# comment\ncid\tp\tv\ti\tsize=27\tpath=a/b\tftype=x\n");
  const auto json = parse(R"([{"content_id": "cid", "product_name": "p", "version_name": "v",
    "item_name": "i", "item_url": "http://x/a/b", "size": "27", "path": "a/b", "ftype": "x"}])");
  for (const auto* list : {&tab, &json}) {
    ASSERT_EQ(list->size(), 1U);
    const auto& record = list->front();
    EXPECT_EQ(record.content_id, "cid");
    EXPECT_EQ(record.id, (sstream::Pedigree{"p", "v", "i"}));
    EXPECT_EQ(record.tags, (io::Json{{"ftype", "x"}, {"path", "a/b"}, {"size", 27}}));
    EXPECT_EQ(record.path(), "a/b");
  }
  EXPECT_EQ(tab.front().where, "list:2");
  EXPECT_EQ(json.front().where, "list:1");
}

TEST(ItemList, KeepsTypesAndTakesWhatMayStandInAValue) {
  const auto record = parse(
                          "\n[{\"product_name\": \"p\", \"version_name\": \"v\",\n"
                          "\"item_name\": \"i\", \"supported\": true, \"n\": [1, \"],{\\\"\"]}]",
                          "cid")
                          .front();
  EXPECT_EQ(record.content_id, "cid");
  EXPECT_EQ(record.tags.at("supported"), true);
  EXPECT_EQ(record.tags.at("n").size(), 2U);
  EXPECT_EQ(record.where, "list:2");
  const auto line = parse("c\tp\tv\ti\turl=http://x/?a=b\tempty=\t\r\n\n").front();
  EXPECT_EQ(line.tags, (io::Json{{"url", "http://x/?a=b"}, {"empty", ""}}));
  EXPECT_EQ(parse(base::cat("c\tp\tv\ti\tsha256=", sha)).front().tags.at("sha256"),
            std::string(64, 'a'));
  EXPECT_TRUE(parse("[]").empty());
  EXPECT_TRUE(parse("# nothing\n").empty());
}

TEST(ItemList, NamesTheLineOfEachJsonItem) {
  const std::string item =
      R"({"content_id": "c", "product_name": "[\"", "version_name": "v", "item_name": "NAME"})";
  const auto records = parse(base::cat("[\n", base::replace_all(item, "NAME", "a"), ",\n\n",
                                       base::replace_all(item, "NAME", "b"), ", ",
                                       base::replace_all(item, "NAME", "c"), "\n]\n"));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].where, "list:2");
  EXPECT_EQ(records[1].where, "list:4");
  EXPECT_EQ(records[2].where, "list:4");
}

TEST(ItemList, NamesFileLineFieldAndReason) {
  const std::string head = "# one\nc\tp\tv\ti\n";
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"c\tp\tv", "list:3: 3 columns: must be at least 4"},
      {"c\tp\tv\ti\tkey", "list:3: 'key': must be KEY=VALUE"},
      {"c\tp\tv\ti\t=x", "list:3: '=x': must be KEY=VALUE"},
      {"c\tp\tv\ti\ta=1\ta=2", "list:3: a: is given twice"},
      {"c\tp\tv\ti\titem_name=2", "list:3: item_name: stands in a column of its own"},
      {"c\t\tv\ti", "list:3: product_name: a name may not be empty"},
      {"../c\tp\tv\ti", "list:3: content_id: a name may not hold a slash"},
      {"c\tp\tv\t..", "list:3: item_name: a name may not be '.' or '..'"},
      {"c\tp\tv\ti\tsize=-1", "list:3: size: must be a number of bytes"},
      {"c\tp\tv\ti\tsize=9223372036854775808", "list:3: size: must be a number of bytes"},
      {"c\tp\tv\ti\tsha256=beef", "list:3: sha256: must be 64 hex digits"},
      {"c\tp\tv\ti\tsha512=beef", "list:3: sha512: must be 128 hex digits"},
      {"c\tp\tv\ti\tmd5=beef", "list:3: md5: must be 32 hex digits"},
      {"c\tp\tv\ti\tpath=/etc/passwd", "list:3: path: '/etc/passwd': path is absolute"},
      {"c\tp\tv\ti\tpath=a/../../b", "list:3: path: 'a/../../b': "},
      {"c\tp\tv\ti\tpath=streams/v1/x", "list:3: path: 'streams/v1/x' is kept for metadata"},
      {"c\tp\tv\ti\tversions=1", "list:3: versions: may not be a tag of an item"},
      {"c\tp\tv\ti\tx=\xff", "list:3: the line: must be UTF-8"},
  };
  for (const auto& [line, message] : lines) {
    EXPECT_THAT(refusal(head + line + "\n"), HasSubstr(message));
  }
  const std::vector<std::pair<std::string, std::string>> items = {
      {"1", "list:2: item 1: is of type integer, must be object"},
      {"{}", "list:2: content_id: is missing"},
      {R"({"content_id": 1})", "list:2: content_id: is of type integer, must be string"},
      {R"({"content_id": "c", "product_name": "p", "version_name": "v"})",
       "list:2: item_name: is missing"},
      {R"({"content_id": "c", "product_name": "p", "version_name": "v", "item_name": "i",
           "path": ["a"]})",
       "list:2: path: is of type array, must be string"},
      {R"({"content_id": "c", "product_name": "p", "version_name": "v", "item_name": "i",
           "size": 1.5})",
       "list:2: size: must be a number of bytes"},
  };
  for (const auto& [item, message] : items) {
    EXPECT_THAT(refusal(base::cat("[\n", item, "]")), HasSubstr(message));
  }
  EXPECT_THAT(refusal("[{\"a\": 1, \"a\": 2}]"), HasSubstr("list:1:"));
  EXPECT_THAT(refusal("[{}"), HasSubstr("list:1:"));
}

}  // namespace

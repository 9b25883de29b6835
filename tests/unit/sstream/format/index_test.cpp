#include "sstream/format/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "sstream/format/summary.h"

namespace {

using io::Json;
using sstream::ProductTree;
using sstream::StreamIndex;
using testing::ElementsAre;

const char* const text = R"({"format": "index:1.0", "updated": "then", "index": {
    "com.x:a": {"path": "streams/v1/com.x:a.json", "format": "products:1.0", "datatype": "image-ids",
                "updated": "u", "products": ["p", "q"], "clouds": [{"region": "r", "endpoint": "e"}]},
    "com.x:b": {"format": "other"}}})";

TEST(StreamIndex, ReadsItsEntries) {
  const auto index = StreamIndex::parse(text, "index.json");
  EXPECT_EQ(index.updated(), "then");
  const auto entries = index.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].content_id, "com.x:a");
  EXPECT_EQ(entries[0].path, "streams/v1/com.x:a.json");
  EXPECT_EQ(entries[0].format, "products:1.0");
  EXPECT_EQ(entries[0].datatype, "image-ids");
  EXPECT_EQ(entries[0].updated, "u");
  EXPECT_THAT(entries[0].products, ElementsAre("p", "q"));
  EXPECT_EQ(entries[0].node.at("clouds").size(), 1U);
  EXPECT_EQ(entries[1].path, "");
  EXPECT_EQ(index.entry("com.x:b")->format, "other");
  EXPECT_FALSE(index.entry("com.x:c"));
}

TEST(StreamIndex, SignedPathsDifferInTheirEndingOnly) {
  const Json index = io::parse_json(text, "x");
  const Json changed = sstream::with_signed_paths(index);
  Json expected = index;
  expected["index"]["com.x:a"]["path"] = "streams/v1/com.x:a.sjson";
  EXPECT_EQ(changed, expected);
  EXPECT_EQ(sstream::with_signed_paths(changed), changed);
}

TEST(StreamIndex, EntryIsMadeFromTheStreamsSummary) {
  sstream::StreamSummary summary;
  summary.format = "products:1.0";
  summary.datatype = "image-downloads";
  summary.updated = "now";
  summary.versions = {{"q", 0}, {"p", 2}};
  const auto previous = StreamIndex::parse(text, "x").entry("com.x:a")->node;
  EXPECT_EQ(sstream::index_entry(summary, "streams/v1/com.x:a.json", previous),
            io::parse_json(
                R"({"clouds": [{"region": "r", "endpoint": "e"}], "datatype": "image-downloads",
                    "format": "products:1.0", "path": "streams/v1/com.x:a.json",
                    "products": ["p", "q"], "updated": "now"})",
                "x"));
  summary = {};
  summary.format = "other:1.0";
  EXPECT_EQ(sstream::index_entry(summary, "x.json", {}),
            io::parse_json(R"({"format": "other:1.0", "path": "x.json"})", "x"));
}

/// docs/format.md 7.1, D20.
TEST(StreamIndex, ContentIdMustBeTheOneNamed) {
  const auto index = StreamIndex::parse(text, "index.json");
  EXPECT_NO_THROW(
      sstream::require_content_id(*index.entry("com.x:a"), ProductTree::make("com.x:a", "")));
  EXPECT_THROW(
      sstream::require_content_id(*index.entry("com.x:a"), ProductTree::make("com.x:b", "")),
      base::Error);
}

TEST(StreamIndex, ExpandsAliases) {
  const auto index = StreamIndex::parse(
      R"({"format": "index:1.0", "_aliases": {"x": {"y": {"path": "p.json"}}}, "index": {"c": {"x": "y"}}})",
      "x");
  EXPECT_EQ(index.entry("c")->path, "p.json");
  EXPECT_THROW(
      StreamIndex::parse(
          R"({"format": "index:1.0", "_aliases": {"x": {"y": {"path": "../p"}}}, "index": {"c": {"x": "y"}}})",
          "x"),
      base::Error);
}

}  // namespace

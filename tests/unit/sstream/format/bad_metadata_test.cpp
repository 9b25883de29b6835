// The rows D1-D22 of docs/format.md 7.1 that the model itself can judge, fed to every way in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "sstream/format/index.h"
#include "sstream/format/item_stream.h"
#include "tests/support/refused.h"

namespace {

using sstream::ProductTree;
using sstream::StreamIndex;
using testing::HasSubstr;
using testing::StartsWith;

const std::string products_head = R"("format": "products:1.0", "content_id": "c")";

std::string products(const std::string& tree) {
  return "{" + products_head + ", \"products\": " + tree + "}";
}

std::string item(const std::string& name, const std::string& node) {
  return products(R"({"p": {"versions": {"v": {"items": {)" + name + ": " + node + "}}}}}");
}

std::string index(const std::string& entries) {
  return R"({"format": "index:1.0", "index": )" + entries + "}";
}

/// What refusing says, with the file's name in front; "accepted" if nothing does.
template <typename Read>
std::string verdict(const Read& read) {
  return support::verdict(base::Errc::untrusted, [&] { read(); });
}

std::string as_products(const std::string& text) {
  return verdict([&] { ProductTree::parse(text, "f.json"); });
}

std::string as_index(const std::string& text) {
  return verdict([&] { StreamIndex::parse(text, "f.json"); });
}

std::string as_stream(const std::string& text) {
  const base::TempDir dir("bad");
  auto file = base::open_file(dir.path() + "/f.json", O_RDWR | O_CREAT);
  file.write(text);
  const auto said = verdict([&] { sstream::visit_items(file, [](const sstream::Item&) {}); });
  return base::replace_all(said, dir.path() + "/", "");
}

struct Row {
  const char* row;
  std::string text;
  std::string says;  ///< part of the message
};

const std::string long_name(4096, 'x');

const std::vector<Row> products_rows = {
    {"D1", "", "f.json:1:1: syntax error"},
    {"D1", " \n", "f.json:2:1: syntax error"},
    {"D1", "null", "is of type null, must be object"},
    {"D1", "[]", "is of type array, must be object"},
    {"D1", "5", "is of type integer, must be object"},
    {"D1", "\"products\"", "is of type string, must be object"},
    {"D3", item("\"i\"", std::string(100000, '[')), "nested deeper than 64"},
    {"D3", item("\"i\"", R"({"a": )" + std::string(60, '[') + std::string(60, ']') + "}"),
     "nested deeper than 64"},
    {"D4", "{" + products_head + R"(, "content_id": "d", "products": {}})",
     ": /content_id: duplicate key"},
    {"D4", products(R"({"p": {}, "p": {}})"), ": /products/p: duplicate key"},
    {"D4", products(R"({"p": {"versions": {"v": {}, "v": {}}}})"),
     "/products/p/versions/v: duplicate key"},
    {"D4", products(R"({"p": {"versions": {"v": {"items": {"i": {}, "i": {}}}}}})"),
     "/items/i: duplicate key"},
    {"D4", item("\"i\"", R"({"size": 1, "size": 2})"), "/items/i/size: duplicate key"},
    {"D5", item("\"i\"", R"({"n": NaN})"), "/items/i/n: syntax error"},
    {"D5", item("\"i\"", R"({"n": -Infinity})"), "/items/i/n: syntax error"},
    {"D5", item("\"i\"", R"({"n": 1e999})"), "/items/i/n: number out of range"},
    {"D6", item("\"i\"", R"({"n": "\ud800"})"), "/items/i/n: syntax error"},
    {"D6", item("\"i\"", "{\"n\": \"\xC0\xAF\"}"), "/items/i/n: syntax error"},
    {"D6", item("\"i\"", "{\"n\": \"caf\xE9\"}"), "/items/i/n: syntax error"},
    {"D6", item(R"("i\u0000")", "{}"), "control character"},
    {"D6", "\xEF\xBB\xBF" + products("{}"), "byte order mark"},
    {"D7", products("{}") + "x", "syntax error"},
    {"D7", products("{}") + products("{}"), "syntax error"},
    {"D7", "// comment\n" + products("{}"), "f.json:1:1: syntax error"},
    {"D7", products(R"({"p": {},})"), "syntax error"},
    {"D8", "{" + products_head + "}", "/products: is missing"},
    {"D8", products("[]"), "/products: is of type array, must be object"},
    {"D8", products("null"), "/products: is of type null, must be object"},
    {"D8", products(R"({"p": []})"), "/products/p: is of type array"},
    {"D8", products(R"({"p": "x"})"), "/products/p: is of type string"},
    {"D8", products(R"({"p": {"versions": []}})"), "/products/p/versions: is of type array"},
    {"D8", products(R"({"p": {"versions": 5}})"), "/products/p/versions: is of type integer"},
    {"D8", products(R"({"p": {"versions": {"v": 1.5}}})"),
     "/products/p/versions/v: is of type number"},
    {"D8", products(R"({"p": {"versions": {"v": {"items": true}}}})"),
     "/versions/v/items: is of type boolean"},
    {"D8", item("\"i\"", "[]"), "/versions/v/items/i: is of type array"},
    {"D9", products(R"({"a/b": {}})"), "/products/a~1b: a name may not hold a slash"},
    {"D9", products(R"({"a\nb": {}})"), "a name may not hold"},
    {"D9", products(R"({"\u001b[31m": {}})"), R"(/products/\x1b[31m: a name may not hold)"},
    {"D9", products("{\"" + long_name + "\": {}}"), "longer than 255 bytes"},
    {"D9", products(R"({"": {}})"), "a name may not be empty"},
    {"D10", products(R"({"p": {"versions": {"../x": {}}}})"),
     "/versions/..~1x: a name may not hold"},
    {"D10", products(R"({"p": {"versions": {"": {}}}})"), "a name may not be empty"},
    {"D10", products(R"({"p": {"versions": {"..": {}}}})"), "may not be '.' or '..'"},
    {"D12", item(R"("\u001b]0;x\u0007")", "{}"), "a name may not hold"},
    {"D12", item(R"("\u007f")", "{}"), "a name may not hold"},
    {"D19", R"({"content_id": "c", "products": {}})", "/format: is missing"},
    {"D19", R"({"format": "products:2.0", "content_id": "c", "products": {}})",
     "/format: is \"products:2.0\""},
    {"D19", R"({"format": "index:1.0", "index": {}})", "/format: is \"index:1.0\""},
    {"D19", R"({"format": 5, "content_id": "c", "products": {}})", "/format: is 5"},
    {"D20", R"({"format": "products:1.0", "products": {}})", "/content_id: must be a string"},
    {"D20", R"({"format": "products:1.0", "content_id": 5, "products": {}})",
     "/content_id: must be a string"},
    {"D20", R"({"format": "products:1.0", "content_id": "../../x", "products": {}})",
     "/content_id: a name may"},
    {"D20", R"({"format": "products:1.0", "content_id": "..", "products": {}})",
     "/content_id: a name may"},
    {"D20", R"({"format": "products:1.0", "content_id": "a\nb", "products": {}})",
     "/content_id: a name may"},
    {"D22", "{" + products_head + R"(, "updated": 5, "products": {}})",
     "/updated: is of type integer"},
    {"D22", "{" + products_head + R"(, "updated": null, "products": {}})",
     "/updated: is of type null"},
    {"D22", "{" + products_head + R"(, "datatype": [], "products": {}})",
     "/datatype: is of type array"},
};

TEST(BadMetadata, ProductsAreRefusedWithPlaceAndReason) {
  for (const auto& row : products_rows) {
    for (const auto& said : {as_products(row.text), as_stream(row.text)}) {
      EXPECT_THAT(said, StartsWith("f.json:")) << row.row << " " << row.text.substr(0, 200);
      EXPECT_THAT(said, HasSubstr(row.says)) << row.row << " " << row.text.substr(0, 200);
      EXPECT_LT(said.size(), 1000U);
      EXPECT_EQ(said.find_first_of("\n\x1b\x07"), std::string::npos);
    }
  }
}

const std::vector<Row> index_rows = {
    {"D1", "[]", "is of type array"},
    {"D4", index(R"({"c": {}, "c": {}})"), "/index/c: duplicate key"},
    {"D8", index("[]"), "/index: must be an object"},
    {"D8", R"({"format": "index:1.0"})", "/index: is missing"},
    {"D8", index(R"({"c": []})"), "/index/c: is of type array"},
    {"D8", index(R"({"c": {"products": {}}})"), "/index/c/products: must be an array of strings"},
    {"D8", index(R"({"c": {"products": ["p", 5]}})"),
     "/index/c/products: must be an array of strings"},
    {"D18", index(R"({"c": {"path": 5}})"), "/index/c/path: is of type integer"},
    {"D19", R"({"index": {}})", "/format: is missing"},
    {"D19", R"({"format": "index:2.0", "index": {}})", "/format: is \"index:2.0\""},
    {"D19", index(R"({"c": {"format": "index:1.0", "path": "streams/v1/index.json"}})"),
     "/index/c: an index inside an index"},
    {"D20", index(R"({"../x": {}})"), "/index/..~1x: a name may not hold"},
    {"D20", index(R"({"a\nb": {}})"), "a name may not hold"},
    {"D22", index(R"({"c": {"updated": 5}})"), "/index/c/updated: is of type integer"},
    {"D22", R"({"format": "index:1.0", "updated": 5, "index": {}})",
     "/updated: is of type integer"},
    {"E1", index(R"({"c": {"path": "../x.json"}})"), "/index/c/path: '../x.json': "},
    {"E1", index(R"({"c": {"path": "/x.json"}})"), "/index/c/path: "},
    {"E1", index(R"({"c": {"path": "a/.."}})"), "/index/c/path: "},
    {"E1", index(R"({"c": {"path": "a\\b"}})"), "/index/c/path: "},
};

TEST(BadMetadata, IndexesAreRefusedWithPlaceAndReason) {
  for (const auto& row : index_rows) {
    const auto said = as_index(row.text);
    EXPECT_THAT(said, StartsWith("f.json:")) << row.row << " " << row.text;
    EXPECT_THAT(said, HasSubstr(row.says)) << row.row << " " << row.text;
  }
}

TEST(BadMetadata, EveryTruncationIsRefused) {
  const auto text = base::read_file(FIXTURES "/streams/condensed.json");
  const auto end = text.rfind('}');
  for (std::size_t length = 0; length < end; ++length) {
    ASSERT_NE(as_products(text.substr(0, length)), "accepted") << length;
    if (length % 50 == 0) {
      ASSERT_NE(as_stream(text.substr(0, length)), "accepted") << length;
    }
  }
  const auto entries = index(R"({"c": {"path": "x.json", "products": ["p"]}})");
  for (std::size_t length = 0; length < entries.size(); ++length) {
    ASSERT_NE(as_index(entries.substr(0, length)), "accepted") << length;
  }
}

/// Odd, but legal, and in use.
TEST(BadMetadata, WhatIsOnlyUnusualIsAccepted) {
  const std::vector<std::string> good = {
      products("{}"),
      products(R"({"p": {}})"),
      products(R"({"p": {"versions": {"latest": {}, "٢٠٢٤": {}, "samepaths": {"items": {}}}}})"),
      item("\"i\"", R"({"__proto__": {"x": 1}, "constructor": "y"})"),
      item("\"i\"", "{}"),
      item("\"i\"", R"({"sha1": "x"})"),
      "{" + products_head + R"(, "updated": "not a date", "products": {}})",
  };
  for (const auto& text : good) {
    EXPECT_EQ(as_products(text), "accepted") << text;
    EXPECT_EQ(as_stream(text), "accepted") << text;
  }
  EXPECT_EQ(as_index(index(R"({"c": {}, "d": {"path": "", "format": "whatever"}})")), "accepted");
}

/// docs/format.md 7.1, D2: wide and long input is bounded in time and memory by its size.
TEST(BadMetadata, WideAndLongInputIsRead) {
  std::string wide = "{";
  for (int i = 0; i < 200000; ++i) {
    wide += base::cat(i == 0 ? "" : ",", "\"k", i, "\":0");
  }
  EXPECT_EQ(as_products(item("\"i\"", wide + "}")), "accepted");
  EXPECT_EQ(as_stream(item("\"i\"", R"({"s": ")" + std::string(5000000, 'x') + "\"}")), "accepted");
}

}  // namespace

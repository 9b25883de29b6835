#include "sstream/format/product_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "sstream/format/aliases.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using sstream::Item;
using sstream::ProductTree;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ProductTree tree_of(const char* products, const char* rest = "") {
  return ProductTree::parse(
      std::string(R"({"format": "products:1.0", "content_id": "c", "label": "top", )") + rest +
          R"("products": )" + products + "}",
      "f.json");
}

TEST(ProductTree, SetReplacesTheNodeAndMakesTheWayThere) {
  auto tree = ProductTree::make("c", "image-downloads");
  tree.set({"p", "v", "i"}, Json{{"a", 1}});
  tree.set({"p", "v", "j"}, Json{{"b", 2}});
  EXPECT_EQ(*tree.item({"p", "v", "i"}), (Json{{"a", 1}}));
  tree.set({"p", "v", "i"}, Json{{"c", 3}});
  EXPECT_EQ(*tree.item({"p", "v", "i"}), (Json{{"c", 3}}));
  EXPECT_EQ(*tree.item({"p", "v", "j"}), (Json{{"b", 2}})) << "the sibling stays";
  tree.set({"p", "v", ""}, Json{{"t", "x"}});
  EXPECT_EQ(tree.item({"p", "v", "i"}), nullptr);
  tree.set({"q", "", ""}, Json{{"t", "x"}});
  EXPECT_EQ(*tree.product("q"), (Json{{"t", "x"}}));
  EXPECT_EQ(*tree.version("p", "v"), (Json{{"t", "x"}}));
  EXPECT_THROW(tree.set({"", "", ""}, {}), base::Error);
  EXPECT_THROW(tree.set({"p", "", "i"}, {}), base::Error);
}

TEST(ProductTree, RemoveTakesTheNodeAndNothingElse) {
  auto tree = tree_of(R"({"p": {"versions": {"v": {"items": {"i": {}}}}}})");
  const Json before = tree.json();
  for (const auto& absent : std::vector<sstream::Pedigree>{
           {"x", "", ""}, {"p", "x", ""}, {"p", "v", "x"}, {"x", "v", "i"}}) {
    tree.remove(absent);
    EXPECT_EQ(tree.json(), before) << absent.text();
  }
  tree.remove({"p", "v", "i"});
  EXPECT_TRUE(tree.version("p", "v")->at("items").empty());
  tree.remove({"p", "v", ""});
  EXPECT_TRUE(tree.product("p")->at("versions").empty());
  tree.remove({"p", "", ""});
  EXPECT_EQ(tree.products(), Json::object());
}

TEST(ProductTree, PruneDropsWhatHoldsNoItems) {
  auto tree = tree_of(R"({
      "full": {"versions": {"1": {"items": {"i": {"a": 1}}}, "2": {"items": {}, "tag": "x"}, "3": {}}},
      "husk": {"versions": {"1": {"items": {"i": {}}}}},
      "tagged": {"arch": "amd64"}, "none": {"versions": {}}})");
  EXPECT_THAT(tree.prune(), ElementsAre("husk", "none", "tagged"));
  EXPECT_EQ(tree.products(),
            io::parse_json(R"({"full": {"versions": {"1": {"items": {"i": {"a": 1}}}}}})", "x"));
  EXPECT_THAT(tree.prune(), IsEmpty());
  auto empty = tree_of("{}");
  EXPECT_THAT(empty.prune(), IsEmpty());
  EXPECT_EQ(empty.products(), Json::object());
}

TEST(ProductTree, OrdersVersionsAsStrings) {
  const auto tree = tree_of(
      R"({"p": {"versions": {"20160101.2": {}, "20160101.10": {}, "samepaths": {}, "20160101.1": {}, "20160101": {}}}})");
  EXPECT_THAT(tree.versions("p"),
              ElementsAre("samepaths", "20160101.2", "20160101.10", "20160101.1", "20160101"));
  EXPECT_THAT(tree.versions("q"), IsEmpty());
  EXPECT_EQ(tree.version_count(), 5U);
}

TEST(ProductTree, ItemsInheritScalarsAndTheDeepestWins) {
  const auto tree = tree_of(
      R"({"p": {"label": "product", "n": 38, "list": ["x"], "versions": {"v": {"on": true, "label": "version", "f": 1.5,
            "items": {"i": {"label": "item", "n": null, "list": "s", "version_name": "spoofed"},
                      "j": {"big": 18446744073709551615, "e": 1e16}}}}}})",
      R"("updated": "now", )");
  std::vector<sstream::Tags> all;
  tree.for_each_item([&](const Item& item) {
    all.push_back(item.tags());
    for (const auto& [key, value] : item.tags()) {
      EXPECT_EQ(item.tag(key), value) << key;
    }
    EXPECT_FALSE(item.tag("absent"));
  });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], (sstream::Tags{{"format", "products:1.0"},
                                   {"content_id", "c"},
                                   {"updated", "now"},
                                   {"label", "item"},
                                   {"n", "38"},
                                   {"list", "s"},
                                   {"on", "True"},
                                   {"f", "1.5"},
                                   {"product_name", "p"},
                                   {"version_name", "v"},
                                   {"item_name", "i"}}));
  EXPECT_EQ(all[1].at("label"), "version");
  EXPECT_EQ(all[1].at("big"), "18446744073709551615");
  EXPECT_EQ(all[1].at("e"), "1e+16");
}

std::string path_of(const char* item, const char* version_tags = "") {
  std::string result = "none";
  tree_of((std::string(R"({"p": {"versions": {"v": {)") + version_tags + R"("items": {"i": )" +
           item + "}}}}}")
              .c_str())
      .for_each_item([&](const Item& one) {
        try {
          result = one.path().value_or("none");
        } catch (const base::Error& error) {
          EXPECT_EQ(error.code(), base::Errc::untrusted);
          result = std::string("refused: ") + error.what();
        }
      });
  return result;
}

/// docs/format.md 1.8, 7.2, D17, D18.
TEST(ProductTree, PathsAreCheckedWhereverTheyComeFrom) {
  EXPECT_EQ(path_of(R"({"path": "a/b-1.0_x~y"})"), "a/b-1.0_x~y");
  EXPECT_EQ(path_of("{}"), "none");
  EXPECT_EQ(path_of("{}", R"("path": "inherited/x",)"), "inherited/x");
  for (const char* bad : {"\"../x\"",
                          "\"a/../../x\"",
                          "\"..\"",
                          "\"a/..\"",
                          "\"/abs\"",
                          "\"//x\"",
                          "\"./x\"",
                          "\"a//b\"",
                          "\"a/.\"",
                          "\"\"",
                          "\"a/\"",
                          "\"a\\u0000b\"",
                          "\"a\\nb\"",
                          "\"a\\rb\"",
                          "\"a\\tb\"",
                          "\"a\\u007fb\"",
                          "\"a\\u001bb\"",
                          "\"a\\\\b\"",
                          "\"streams/v1/index.json\"",
                          "\".data/references.json\"",
                          "5",
                          "null",
                          "[\"a\"]",
                          "{}",
                          "true"}) {
    const auto item = std::string("{\"path\": ") + bad + "}";
    EXPECT_THAT(path_of(item.c_str()), HasSubstr("refused: p/v/i: ")) << bad;
    const auto tag = std::string("\"path\": ") + bad + ",";
    EXPECT_THAT(path_of("{}", tag.c_str()), HasSubstr("refused: p/v/i: ")) << bad;
  }
  EXPECT_THAT(path_of(R"({"path": null})", R"("path": "fine",)"), HasSubstr("refused"));
}

/// docs/format.md 7.1, D16.
TEST(ProductTree, OnePathHasOneContent) {
  const char* same =
      R"({"p": {"versions": {"1": {"items": {"i": {"path": "x", "size": 5, "sha256": "AA"}}},
                         "2": {"items": {"i": {"path": "x", "size": "5", "sha256": "aa", "sha512": "b"}, "j": {}}}}}})";
  EXPECT_NO_THROW(sstream::require_one_content_per_path(tree_of(same)));
  for (const char* field : {"\"size\": 6", "\"sha256\": \"ab\"", "\"sha512\": \"c\""}) {
    const auto text =
        std::string(
            R"({"p": {"versions": {"1": {"items": {"i": {"path": "x", "size": 5, "sha256": "aa"}}},
        "2": {"items": {"i": {"path": "x", "sha512": "b"}}}, "3": {"items": {"k": {"path": "x", )") +
        field + "}}}}}}";
    const auto said = support::refused(base::Errc::untrusted, [&] {
      sstream::require_one_content_per_path(tree_of(text.c_str()));
    });
    EXPECT_THAT(said, HasSubstr("p/3/k"));
    EXPECT_THAT(said, HasSubstr("f.json: x: "));
  }
}

/// docs/format.md 7.1, D23, D24: types, unknown keys, large integers.
TEST(ProductTree, ARoundTripKeepsAll) {
  const auto text = base::read_file(FIXTURES "/streams/typed.json");
  const auto tree = ProductTree::parse(text, "typed.json");
  EXPECT_EQ(io::to_text(tree.json()), text);
}

TEST(ProductTree, KnowsItsHead) {
  auto tree = ProductTree::make("com.x:y", "image-ids");
  EXPECT_EQ(tree.content_id(), "com.x:y");
  EXPECT_EQ(tree.datatype(), "image-ids");
  EXPECT_EQ(tree.updated(), "");
  tree.set_updated("now");
  EXPECT_EQ(tree.updated(), "now");
  EXPECT_EQ(tree.json().at("format"), "products:1.0");
}

TEST(Aliases, AreMergedOverTheirObject) {
  const auto tree = tree_of(
      R"({"p": {"versions": {"v": {"items": {
           "a": {"crsn": "e1", "region": "old", "list": [{"crsn": "e1"}]},
           "b": {"crsn": "unknown"}, "c": {"crsn": ""}, "d": {"crsn": 5}}}}}})",
      R"("_aliases": {"crsn": {"e1": {"region": "eu-1", "endpoint": "https://x"}}},)");
  EXPECT_EQ(*tree.item({"p", "v", "a"}),
            io::parse_json(
                R"({"crsn": "e1", "region": "eu-1", "endpoint": "https://x",
                    "list": [{"crsn": "e1", "region": "eu-1", "endpoint": "https://x"}]})",
                "x"));
  EXPECT_EQ(*tree.item({"p", "v", "b"}),
            (Json{{"crsn", "unknown"}}));  // docs/format.md 1.7: not the end of the sync
  EXPECT_EQ(*tree.item({"p", "v", "c"}), (Json{{"crsn", ""}}));
  EXPECT_EQ(*tree.item({"p", "v", "d"}), (Json{{"crsn", 5}}));
}

/// docs/format.md 7.1, D11.
TEST(Aliases, LoopsAndBombsEnd) {
  Json loop = io::parse_json(
      R"({"_aliases": {"a": {"x": {"a": "x", "b": "y", "child": {"a": "x"}}}, "b": {"y": {"a": "x"}}},
          "k": {"a": "x"}, "__proto__": {"a": "x"}})",
      "x");
  sstream::expand_aliases(loop);
  EXPECT_EQ(loop["k"]["b"], "y");
  EXPECT_EQ(loop["__proto__"]["a"], "x");
  Json large = Json::object();
  for (int i = 0; i < 10000; ++i) {
    large[std::to_string(i)] = i;
  }
  Json bomb{{"_aliases", {{"a", {{"x", large}}}}}, {"list", Json::array()}};
  for (int i = 0; i < 200; ++i) {
    bomb["list"].push_back({{"a", "x"}});
  }
  EXPECT_THROW(sstream::expand_aliases(bomb), base::Error);
  Json odd{{"_aliases", Json::array()}, {"k", "v"}};
  EXPECT_NO_THROW(sstream::expand_aliases(odd));
  Json odder{{"_aliases", {{"k", {{"v", "text"}}}}}, {"k", "v"}};
  EXPECT_NO_THROW(sstream::expand_aliases(odder));
}

/// Of an item by its name, of the items of one version, and of those of all: the same view.
TEST(ProductTree, AnItemIsSeenWithWhatItInherits) {
  const auto tree = tree_of(R"({"p": {"arch": "amd64", "versions": {
      "1": {"items": {"a": {"x": "other"}}},
      "2": {"label": "daily", "items": {"b": {"x": "3"}, "a": {"arch": "own"}}}, "3": {}}}})");
  const sstream::Pedigree b{"p", "2", "b"};
  const auto item = tree.view(b);
  ASSERT_TRUE(item);
  EXPECT_EQ(item->tag("arch"), "amd64");
  EXPECT_EQ(item->tag("label"), "daily");
  EXPECT_EQ(item->tag("x"), "3");
  EXPECT_EQ(item->tag("content_id"), tree.content_id());
  EXPECT_EQ(item->pedigree(), b);
  const std::vector<sstream::Pedigree> none = {
      {"q", "2", "b"}, {"p", "3", "b"}, {"p", "9", "b"}, {"p", "2", "c"}};
  for (const auto& absent : none) {
    EXPECT_FALSE(tree.view(absent)) << absent.text();
  }
  std::vector<std::string> seen;
  const auto note = [&](const sstream::Item& one) {
    seen.push_back(one.pedigree().text() + " " + *one.tag("arch"));
  };
  tree.for_each_item_of("p", "2", note);
  EXPECT_EQ(seen, (std::vector<std::string>{"p/2/a own", "p/2/b amd64"}));
  seen.clear();
  for (const auto* version : {"3", "9"}) {
    tree.for_each_item_of("p", version, note);
  }
  tree.for_each_item_of("q", "2", note);
  EXPECT_TRUE(seen.empty());
  tree.for_each_item(note);
  EXPECT_EQ(seen, (std::vector<std::string>{"p/1/a amd64", "p/2/a own", "p/2/b amd64"}));
}

}  // namespace

#include "sstream/format/condense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"

namespace {

using io::Json;
using sstream::condense;
using sstream::CondenseTop;
using testing::AllOf;
using testing::HasSubstr;

Json parse(const char* text) {
  return io::parse_json(text, "test");
}

Json condensed(Json tree, CondenseTop top = CondenseTop::versions,
               const sstream::Sticky& sticky = {}) {
  condense(tree, sticky, top);
  return tree;
}

struct CondenseCase {
  const char* name;
  const char* before;
  CondenseTop top;
  const char* after;
};

// The established tools' own cases (test_util, ProductsCondense), and what was measured of them.
const std::vector<CondenseCase> condense_cases = {
    {"condense_1",
     R"({"products": {"P1": {"versions": {
          "1": {"items": {"item1": {"A": "B", "only": "x"}, "item2": {"A": "B"}}},
          "2": {"items": {"item1": {"A": "B"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"A": "B", "versions": {
          "1": {"items": {"item1": {"only": "x"}, "item2": {}}},
          "2": {"items": {"item1": {}}}}}}})"},
    {"unicode, to the top",
     R"({"products": {"P1": {"versions": {"1": {"items": {"item1": {"A": "é"}, "item2": {"A": "é"}}}}}}})",
     CondenseTop::products,
     R"({"A": "é", "products": {"P1": {"versions": {"1": {"items": {"item1": {}, "item2": {}}}}}}})"},
    {"different arch stays on the versions",
     R"({"products": {"P1": {"versions": {
          "1": {"items": {"item1": {"arch": "amd64"}, "item2": {"arch": "amd64"}}},
          "2": {"items": {"item1": {"arch": "arm64"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"versions": {
          "1": {"arch": "amd64", "items": {"item1": {}, "item2": {}}},
          "2": {"arch": "arm64", "items": {"item1": {}}}}}}})"},
    {"no arch on one item",
     R"({"products": {"P1": {"versions": {
          "1": {"items": {"item1": {"arch": "amd64"}, "item2": {}}},
          "2": {"items": {"item1": {"arch": "amd64"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"versions": {
          "1": {"items": {"item1": {"arch": "amd64"}, "item2": {}}},
          "2": {"arch": "amd64", "items": {"item1": {}}}}}}})"},
    {"repeats are removed",
     R"({"products": {"P1": {"A": "B", "versions": {"1": {"items": {"item1": {"A": "B"}, "item2": {"A": "B"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"A": "B", "versions": {"1": {"items": {"item1": {}, "item2": {}}}}}}})"},
    {"another value above blocks",
     R"({"products": {"P1": {"A": "C", "versions": {"1": {"items": {"item1": {"A": "B"}, "item2": {"A": "B"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"A": "C", "versions": {"1": {"A": "B", "items": {"item1": {}, "item2": {}}}}}}})"},
    {"the default stops at the product",
     R"({"products": {"P1": {"versions": {"1": {"items": {"item1": {"A": "B"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"A": "B", "versions": {"1": {"items": {"item1": {}}}}}}})"},
    {"only strings move; an int above blocks",
     R"({"products": {"P1": {"n": 1, "versions": {"1": {"items": {
          "a": {"i": 1, "f": 1.5, "b": true, "z": null, "l": ["x"], "o": {"x": "y"}, "e": "", "n": "1"}}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"e": "", "n": 1, "versions": {"1": {"n": "1", "items": {
          "a": {"i": 1, "f": 1.5, "b": true, "z": null, "l": ["x"], "o": {"x": "y"}}}}}}}})"},
    {"a version without items and without the key blocks",
     R"({"products": {"P1": {"versions": {"1": {"items": {"a": {"A": "B"}}}, "2": {"items": {}}}}}})",
     CondenseTop::versions,
     R"({"products": {"P1": {"versions": {"1": {"A": "B", "items": {"a": {}}}, "2": {"items": {}}}}}})"},
    {"nothing to do", R"({"products": {"P1": {}, "P2": {"versions": {}}}})", CondenseTop::products,
     R"({"products": {"P1": {}, "P2": {"versions": {}}}})"},
};

TEST(Condense, GivesWhatTheEstablishedToolsGive) {
  for (const auto& c : condense_cases) {
    EXPECT_EQ(condensed(parse(c.before), c.top), parse(c.after)) << c.name;
  }
}

/// docs/format.md 2.3: the established tools forget the sticky keys at the last step.
TEST(Condense, HonoursStickyAtEveryStep) {
  const char* text =
      R"({"products": {"P1": {"path": "p", "versions": {"1": {"path": "p", "items": {"a": {"path": "p", "A": "B"}}}}}}})";
  EXPECT_EQ(
      condensed(parse(text), CondenseTop::products, {"path"}),
      parse(
          R"({"A": "B", "products": {"P1": {"path": "p", "versions": {"1": {"path": "p", "items": {"a": {"path": "p"}}}}}}})"));
}

TEST(Condense, LeavesASingleItemWhatConsumersReadThere) {
  const Json tree = condensed(parse(
                                  R"({"products": {"P": {"versions": {"1": {"items": {"squashfs": {
               "path": "a", "sha256": "b", "sha512": "c", "md5": "d", "size": "5", "ftype": "squashfs",
               "kpackage": "k", "di_version": "1", "src_package": "s", "src_version": "v",
               "src_release": "r", "label": "release", "arch": "amd64"}}}}}}})"),
                              CondenseTop::products, sstream::default_sticky());
  const Json& item = tree["products"]["P"]["versions"]["1"]["items"]["squashfs"];
  EXPECT_EQ(item.size(), 11U);
  EXPECT_FALSE(item.contains("label"));
  EXPECT_EQ(tree["label"], "release");
}

/// Pushes every string down to the items: the inverse of condense.
Json flattened(Json tree) {
  for (auto& product : tree["products"]) {
    for (auto& version : product["versions"]) {
      for (auto& item : version["items"]) {
        for (const Json* level : {&version, &product}) {
          for (const auto& [key, value] : level->get_ref<const Json::object_t&>()) {
            if (value.is_string() && !item.contains(key)) {
              item[key] = value;
            }
          }
        }
      }
      version = Json{{"items", version["items"]}};
    }
    product = Json{{"versions", product["versions"]}};
  }
  return tree;
}

TEST(Condense, RestoresARecordedStream) {
  const Json recorded =
      io::parse_json(base::read_file(FIXTURES "/streams/condensed.json"), "condensed.json");
  const sstream::Sticky sticky = {"di_version", "kpackage",    "sha256",      "md5",        "path",
                                  "ftype",      "src_package", "src_version", "src_release"};
  Json tree = flattened(recorded);
  ASSERT_NE(tree, recorded);
  condense(tree, sticky);
  EXPECT_EQ(tree, recorded);
  condense(tree, sticky);
  EXPECT_EQ(tree, recorded) << "not idempotent";
}

/// docs/format.md 2.3: a label that differs between versions ends on the versions, where MAAS does
/// not look.
TEST(ProductTags, TheNewestVersionDecides) {
  Json tree = condensed(parse(R"({"products": {"P": {"versions": {
      "1": {"items": {"a": {"label": "daily", "os": "x", "note": "n1"}}},
      "2": {"items": {"a": {"label": "release", "os": "x", "note": "n2"}}},
      "3": {"items": {"a": {"label": "release", "os": "x", "note": "n2"}}}}}}})"));
  sstream::settle_product_tags(tree);
  EXPECT_EQ(tree, parse(R"({"products": {"P": {"label": "release", "os": "x", "versions": {
      "1": {"label": "daily", "note": "n1", "items": {"a": {}}},
      "2": {"note": "n2", "items": {"a": {}}},
      "3": {"note": "n2", "items": {"a": {}}}}}}})"));
}

TEST(ProductTags, AVersionWithoutTheKeyMustNotInheritIt) {
  const Json tree = condensed(parse(R"({"products": {"P": {"versions": {
      "1": {"items": {"a": {}}},
      "2": {"items": {"a": {"label": "release"}}}}}}})"));
  Json settled = tree;
  sstream::settle_product_tags(settled);
  EXPECT_EQ(settled, tree);
}

/// What is no tag hides none: items of version 2 have the product's label, and keep it.
TEST(ProductTags, WhatIsNoTagStaysWhereItIs) {
  for (const char* value : {"{}", "[1]", "null"}) {
    Json tree = parse(R"({"products": {"P": {"label": "beta1", "versions": {
        "1": {"items": {"a": {}}}, "2": {"items": {"a": {}}}}}}})");
    tree["products"]["P"]["versions"]["2"]["label"] = parse(value);
    Json settled = tree;
    sstream::settle_product_tags(settled);
    EXPECT_EQ(settled, tree) << value;
  }
}

/// After a version was removed, or came from a tool that left it so.
TEST(ProductTags, AnOverriddenValueOfTheProductGivesWayToTheNewest) {
  Json tree = parse(R"({"products": {"P": {"label": "beta1", "versions": {
      "1": {"items": {"a": {}}},
      "2": {"label": "rc", "items": {"a": {}}},
      "3": {"label": "release", "items": {"a": {}}}}}}})");
  sstream::settle_product_tags(tree);
  const Json settled = parse(R"({"products": {"P": {"label": "release", "versions": {
      "1": {"label": "beta1", "items": {"a": {}}},
      "2": {"label": "rc", "items": {"a": {}}},
      "3": {"items": {"a": {}}}}}}})");
  EXPECT_EQ(tree, settled);
  sstream::settle_product_tags(tree);
  EXPECT_EQ(tree, settled) << "not idempotent";
}

/// Both steps, in that order; a product without versions is not theirs to drop.
TEST(ReadyToPublish, CondensesSettlesAndKeepsEveryProduct) {
  auto tree = sstream::ProductTree::make("com.example:images", "image-downloads");
  tree.products() = parse(R"({"empty": {"os": "none"}, "P": {"versions": {
      "1": {"items": {"a": {"label": "beta", "id": "x", "path": "p"}}},
      "2": {"items": {"a": {"label": "release", "id": "x", "path": "p"}}}}}})");
  auto kept = tree;
  sstream::ready_to_publish(tree);
  EXPECT_EQ(tree.products(), parse(R"({"empty": {"os": "none"}, "P": {
      "id": "x", "label": "release", "versions": {
      "1": {"label": "beta", "items": {"a": {"path": "p"}}},
      "2": {"items": {"a": {"path": "p"}}}}}})"));
  sstream::ready_to_publish(kept, {"id", "label", "path"});
  EXPECT_EQ(kept.products()["P"]["versions"]["1"]["items"]["a"],
            parse(R"({"label": "beta", "id": "x", "path": "p"})"));
}

}  // namespace

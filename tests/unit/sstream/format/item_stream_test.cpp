#include "sstream/format/item_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "tests/unit/sstream/format/random_products.h"

namespace {

using io::Json;
using sstream::Item;
using sstream::ProductTree;
using testing::HasSubstr;

using Seen = std::vector<std::string>;

std::string describe(const Item& item) {
  std::string text = item.pedigree().text() + " " + item.node().dump();
  for (const auto& [key, value] : item.tags()) {
    text += base::cat(" ", key, "=", value);
  }
  try {
    text += " path:" + item.path().value_or("none");
  } catch (const base::Error& error) {
    text += std::string(" bad path: ") + error.what();
  }
  return text;
}

Seen by_tree(const std::string& document) {
  Seen seen;
  ProductTree::parse(document, "f").for_each_item([&](const Item& item) {
    seen.push_back(describe(item));
  });
  return seen;
}

Seen by_stream(const std::string& document) {
  const base::TempDir dir("items");
  auto file = base::open_file(dir.path() + "/f", O_RDWR | O_CREAT);
  file.write(document);
  Seen seen;
  sstream::visit_items(file, [&](const Item& item) { seen.push_back(describe(item)); });
  return seen;
}

TEST(ItemStream, SeesWhatTheTreeSees) {
  for (const char* fixture : {"/streams/typed.json", "/streams/condensed.json"}) {
    const auto text = base::read_file(std::string(FIXTURES) + fixture);
    EXPECT_EQ(by_stream(text), by_tree(text)) << fixture;
    EXPECT_FALSE(by_tree(text).empty());
  }
}

/// Tags that come after the children of their level, in files that nobody sorted.
TEST(ItemStream, KnowsTagsThatComeLater) {
  const std::string text =
      R"({"products": {"p": {"early": "1", "versions": {"v": {"items": {"i": {"a": "b"}}, "zlate": "2"}}, "zlate": "1", "virt": "x"},
                       "q": {"versions": {"w": {"label": "w", "items": {"j": {}, "k": {"label": "k"}}}}}},
          "updated": "late", "list": [{"deep": [1, 2]}, "products"], "content_id": "c", "format": "products:1.0"})";
  const auto seen = by_stream(text);
  EXPECT_EQ(seen, by_tree(text));
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_THAT(seen[0],
              testing::AllOf(HasSubstr("updated=late"), HasSubstr("virt=x"), HasSubstr("zlate=2")));
}

TEST(ItemStream, ReadsAliasesToo) {
  const std::string text =
      R"({"_aliases": {"crsn": {"e": {"region": "r"}}}, "format": "products:1.0", "content_id": "c",
          "products": {"p": {"versions": {"v": {"items": {"i": {"crsn": "e"}}}}}}})";
  EXPECT_EQ(by_stream(text), by_tree(text));
  EXPECT_THAT(by_stream(text).at(0), HasSubstr("region=r"));
}

TEST(ItemStream, AgreesWithTheTreeOnAnything) {
  unsigned refused = 0;
  unsigned items = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    const auto text = unit::RandomProducts(seed).document();
    Seen expected;
    std::string tree_says;
    try {
      expected = by_tree(text);
    } catch (const base::Error& error) {
      tree_says = error.what();
    }
    try {
      ASSERT_EQ(by_stream(text), expected) << text;
      ASSERT_EQ(tree_says, "") << text;
      items += static_cast<unsigned>(expected.size());
    } catch (const base::Error& error) {
      ASSERT_NE(tree_says, "") << text << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 5U);
  EXPECT_GT(items, 500U);
}

}  // namespace

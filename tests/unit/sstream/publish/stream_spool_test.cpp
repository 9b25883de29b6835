#include "sstream/publish/stream_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "sstream/format/version_reader.h"
#include "tests/unit/sstream/format/random_products.h"

namespace {

using sstream::Json;
using sstream::Pedigree;
using sstream::ProductTree;
using sstream::StreamSpool;

base::File file_of(const std::string& text) {
  auto file = base::unnamed_file("f");
  file.write(text);
  file.seek(0);
  return file;
}

/// Spools every version of a document.
class Copy : public sstream::VersionVisitor {
 public:
  void head(const ProductTree& tags) override { spool = std::make_unique<StreamSpool>(tags); }

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    spool->set_product(version.product, product);
    spool->add_version(version.product, version.version, node);
  }

  std::unique_ptr<StreamSpool> spool;
};

std::string copy_of(const std::string& text) {
  auto file = file_of(text);
  Copy copy;
  sstream::visit_versions(file, copy);
  std::string out;
  copy.spool->write("now", [&](std::string_view piece) { out += piece; });
  return out;
}

/// What becomes of it as a tree.
std::string tree_of(const std::string& text) {
  auto tree = ProductTree::parse(text, "f");
  tree.set_updated("now");
  std::vector<std::string> empty;
  for (const auto& [product, node] : tree.products().items()) {
    if (tree.versions(product).empty()) {
      empty.push_back(product);
    }
  }
  for (const auto& product : empty) {
    tree.remove({product, {}, {}});
  }
  return io::to_text(tree.json());
}

TEST(StreamSpool, WritesWhatTheTreeWrites) {
  for (const char* fixture : {"/streams/typed.json", "/streams/condensed.json"}) {
    const auto text = base::read_file(std::string(FIXTURES) + fixture);
    EXPECT_EQ(copy_of(text), tree_of(text)) << fixture;
  }
}

TEST(StreamSpool, AgreesWithTheTreeOnAnything) {
  unsigned refused = 0;
  std::size_t bytes = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    const auto text = unit::RandomProducts(seed).document();
    std::string expected;
    std::string tree_says;
    try {
      expected = tree_of(text);
    } catch (const base::Error& error) {
      tree_says = error.what();
    }
    try {
      ASSERT_EQ(copy_of(text), expected) << text;
      bytes += expected.size();
    } catch (const base::Error& error) {
      ASSERT_NE(tree_says, "") << text << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 5U);
  EXPECT_GT(bytes, 10'000U);
}

TEST(StreamSpool, KnowsItsOwnText) {
  const auto text = base::read_file(std::string(FIXTURES) + "/streams/typed.json");
  auto file = file_of(text);
  Copy copy;
  sstream::visit_versions(file, copy);
  auto same = file_of(copy_of(text));
  EXPECT_TRUE(sstream::is_text_of(*copy.spool, "now", same));
  EXPECT_FALSE(sstream::is_text_of(*copy.spool, "later", same));
  auto longer = file_of(copy_of(text) + "\n");
  EXPECT_FALSE(sstream::is_text_of(*copy.spool, "now", longer));
  auto shorter = file_of(copy_of(text).substr(0, 100));
  EXPECT_FALSE(sstream::is_text_of(*copy.spool, "now", shorter));
}

}  // namespace

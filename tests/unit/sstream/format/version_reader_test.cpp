#include "sstream/format/version_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/temp_dir.h"

namespace {

class VersionReader : public testing::Test {
 protected:
  sstream::ProductTree read(const std::string& text, const std::string& version) const {
    const auto path = scratch.path() + "/products.json";
    base::replace_file(path, text);
    auto file = base::open_file(path, O_RDONLY);
    return sstream::read_versions(file, {version});
  }

  base::TempDir scratch{"version-"};
};

constexpr const char* document = R"({
  "_note": {"products": {"P": {"versions": {"1": {"kept": true}}}}},
  "content_id": "c", "format": "products:1.0",
  "products": {
    "P": {"a": [1, {"versions": {"1": {"2": {}}}}],
          "versions": {"1": {"items": {"i": {"deep": {"x": [{}, []]}}}},
                       "2": {"items": {"i": {"size": 7, "list": [true, null, 1.5]}}, "note": "n"},
                       "3": {"items": {}}},
          "zz": {"2": {"1": {}}}},
    "Q": {"arch": "amd64", "versions": {"1": {"items": {"i": {}}}}},
    "R": {"versions": {"2": {"items": {"2": {}}}}}},
  "updated": "u"})";

TEST_F(VersionReader, GivesAllButTheOtherVersions) {
  const auto tree = read(document, "2");
  auto expected = io::parse_json(document, "document");
  expected["products"]["P"]["versions"].erase("1");
  expected["products"]["P"]["versions"].erase("3");
  expected["products"]["Q"]["versions"].erase("1");
  EXPECT_EQ(tree.json(), expected);
}

TEST_F(VersionReader, AVersionThatIsNotThereGivesNone) {
  EXPECT_EQ(read(document, "9").version_count(), 0U);
}

TEST_F(VersionReader, ChecksTheSyntaxOfAll) {
  const std::string text = document;
  for (const std::size_t cut : {text.find("\"deep\""), text.find("\"Q\""), text.size() - 1}) {
    EXPECT_THROW(read(text.substr(0, cut), "2"), base::Error) << cut;
  }
  EXPECT_THROW(read(R"({"content_id": "c", "format": "products:1.0",
      "products": {"P": {"versions": {"1": 5}}}})",
                    "2"),
               base::Error);
  EXPECT_THROW(read(R"({"content_id": "c", "format": "products:1.0", "products": []})", "2"),
               base::Error);
}

}  // namespace

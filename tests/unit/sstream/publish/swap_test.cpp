#include "sstream/publish/swap.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

TEST(RenameRank, ProductsBeforeTheIndexAndTheIndexesSignedFormLast) {
  std::vector<std::string> files = {"index.sjson", "index.json", "index.json.gpg",
                                    "c.json",      "c.json.gpg", "c.sjson"};
  std::sort(files.begin(), files.end(), [](const auto& one, const auto& other) {
    return sstream::rename_rank(one) < sstream::rename_rank(other);
  });
  EXPECT_THAT(files, testing::ElementsAre("c.sjson", "c.json.gpg", "c.json", "index.json.gpg",
                                          "index.json", "index.sjson"));
  EXPECT_LT(sstream::rename_rank("indexes.json"), sstream::rename_rank("index.json.gpg"));
}

}  // namespace

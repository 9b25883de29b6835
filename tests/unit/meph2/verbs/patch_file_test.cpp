#include "meph2/verbs/patch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "meph2/supply/channel.h"
#include "tests/support/refused.h"

namespace {

using meph2::has_label;
using meph2::parse_patch;
using testing::HasSubstr;

std::string refusal(const std::string& text) {
  return support::refused(base::Errc::usage, [&] { parse_patch(text, "p.yaml"); });
}

TEST(PatchFile, ReadsWhatDiffWrites) {
  const auto patches = parse_patch(R"(# comment
a:v3.json:
  p:v3:boot:24.04:.*:
    labels: [candidate, stable]
    eol: {candidate: "2030-01-01", stable: 2029-05-31, beta: null, n: 7, on: yes}
    versions:
      20240112:
        labels:
        - candidate
      '20240119': {labels: []}
b:v3.json:
  not_merged: [candidate]
)",
                                   "p.yaml");
  ASSERT_EQ(patches.size(), 2U);
  ASSERT_EQ(patches[0].products.size(), 1U);
  const auto& product = patches[0].products[0];
  EXPECT_EQ(product.where, "p.yaml:3:3: /a:v3.json/p:v3:boot:24.04:.*");
  EXPECT_TRUE(product.matches("p:v3:boot:24.04:amd64"));
  EXPECT_FALSE(product.matches("xp:v3:boot:24.04:amd64"));
  EXPECT_EQ(*product.labels, (meph2::Labels{"candidate", "stable"}));
  EXPECT_EQ(product.versions.at("20240112"), meph2::Labels{"candidate"});
  EXPECT_EQ(product.versions.at("20240119"), meph2::Labels{});
  // An unquoted date is a text; other types stay what they are.
  EXPECT_EQ(product.tags.at("eol").at("stable"), "2029-05-31");
  EXPECT_TRUE(product.tags.at("eol").at("beta").is_null());
  EXPECT_EQ(product.tags.at("eol").at("n"), 7);
  EXPECT_TRUE(patches[1].not_merged);
  EXPECT_TRUE(patches[1].products.empty());
}

TEST(PatchFile, TakesJsonAndNothing) {
  EXPECT_TRUE(parse_patch("", "p").empty());
  EXPECT_TRUE(parse_patch("# nothing\n", "p").empty());
  EXPECT_TRUE(parse_patch("{}", "p").empty());
  const auto patches =
      parse_patch(R"({"a.json": {"p": {"versions": {"1": {"labels": []}}}}})", "p");
  EXPECT_EQ(patches.at(0).products.at(0).versions.at("1"), meph2::Labels{});
}

TEST(PatchFile, AnchorsTheWholePattern) {
  const auto matches = [](const std::string& pattern, const std::string& name) {
    return parse_patch("a.json: {'" + pattern + "': {labels: []}}", "p")[0].products[0].matches(
        name);
  };
  EXPECT_TRUE(matches("a|b", "a"));
  EXPECT_FALSE(matches("a|b", "ab"));
  EXPECT_TRUE(matches("boot:22.04", "boot:22.04"));
  EXPECT_FALSE(matches("boot", "boot:22.04"));
}

TEST(PatchFile, NamesThePlaceOfWhatIsNoPatch) {
  EXPECT_THAT(refusal("a.json: {p: {labels: stable}}"),
              HasSubstr("p.yaml:1:22: /a.json/p/labels: is of type string, must be a list"));
  EXPECT_THAT(refusal("a.json:\n  p:\n    eol: 2030\n"), HasSubstr("p.yaml:3:10: /a.json/p/eol"));
  EXPECT_THAT(refusal("a.json:\n  p: {labels: [1]}\n"), HasSubstr("must be a label"));
  EXPECT_THAT(refusal("a.json:\n  p: {versions: {'1': {}}}\n"), HasSubstr("no list of labels"));
  EXPECT_THAT(refusal("a.json:\n  p: {versions: {'1': {labels: [], x: 1}}}\n"),
              HasSubstr("/1/x: unknown"));
  EXPECT_THAT(refusal("a.json:\n  p: {versions: {'../1': {labels: []}}}\n"), HasSubstr("2:"));
  EXPECT_THAT(refusal("a.json:\n  'p(': {labels: []}\n"),
              HasSubstr("p.yaml:2:3: /a.json/p(: no regular expression"));
  for (const char* key : {"path", "sha256", "items", "products", "content_id"}) {
    EXPECT_THAT(refusal(std::string("a.json: {p: {") + key + ": {stable: x}}}"),
                HasSubstr("is no tag of a product"));
  }
  EXPECT_THAT(refusal("a.json:\n\tp: {}\n"), HasSubstr("p.yaml:2:1"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("must be a mapping"));
}

TEST(PatchFile, ATargetOfTheSameLabelIsTheLabel) {
  EXPECT_TRUE(has_label({"a", "b"}, "b"));
  EXPECT_TRUE(has_label({"b:target"}, "b"));
  EXPECT_FALSE(has_label({"b:source", "bb"}, "b"));
}

TEST(Channel, TakesLabelsOffAndPutsThemOn) {
  using meph2::bare_product;
  using meph2::labelled_product;
  using meph2::split_label;
  EXPECT_EQ(split_label("com.ubuntu.maas:candidate:v3:download").label, "candidate");
  EXPECT_EQ(split_label("com.ubuntu.maas:candidate:v3:download").bare,
            "com.ubuntu.maas:v3:download");
  EXPECT_EQ(split_label("com.ubuntu.maas:daily:1:bootloader-download").bare,
            "com.ubuntu.maas:1:bootloader-download");
  for (const char* id :
       {"com.ubuntu.maas:v3:download", "com.ubuntu.maas:1:bootloader-download", "c:1", "plain"}) {
    EXPECT_EQ(split_label(id).label, "release") << id;
    EXPECT_EQ(split_label(id).bare, id);
  }
  EXPECT_EQ(bare_product("com.ubuntu.maas.daily:v3:boot:daily", "daily"),
            "com.ubuntu.maas:v3:boot:daily");
  EXPECT_EQ(bare_product("com.ubuntu.maas:v3:boot", "release"), "com.ubuntu.maas:v3:boot");
  EXPECT_EQ(labelled_product("com.ubuntu.maas:v3:boot", "daily"), "com.ubuntu.maas.daily:v3:boot");
  EXPECT_EQ(labelled_product("com.ubuntu.maas:v3:boot", "release"), "com.ubuntu.maas:v3:boot");
}

}  // namespace

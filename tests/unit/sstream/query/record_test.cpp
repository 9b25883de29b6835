#include "sstream/query/record.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace {

using sstream::Item;
using sstream::Json;
using sstream::Record;
using sstream::RecordFormat;

class RecordTest : public testing::Test {
 protected:
  std::string format(const std::string& text) const {
    std::string out = "before ";
    const auto missing = RecordFormat(text).append(item, "base/", out);
    return missing ? "missing " + *missing : out.substr(7);
  }

  static std::string refusal(const std::string& text) {
    return support::refused(base::Errc::usage, [&] { RecordFormat format(text); });
  }

  Json top = {{"content_id", "c"}, {"label", "daily"}, {"list", Json::array()}};
  Json product = {{"arch", "amd64"}, {"versions", Json::object()}, {"n", 1.5}};
  Json version = {{"product_name", "spoofed"}, {"os", "ubuntu"}};
  Json node = {
      {"path", "a/b"}, {"size", 38}, {"label", "beta"}, {"zz", true}, {"e", "\u00e9\u00e9"}};
  sstream::Pedigree pedigree{"p", "v", "i"};
  Item item{pedigree, top, product, version, node};
};

TEST_F(RecordTest, PutsTagsInTheOrderOfTheEstablishedTool) {
  Record record("base/");
  EXPECT_EQ(sstream::python_dict(record.pairs(item)),
            "{'content_id': 'c', 'label': 'beta', 'arch': 'amd64', 'n': '1.5', 'product_name': "
            "'p', 'os': 'ubuntu', 'version_name': 'v', 'e': '\u00e9\u00e9', 'path': 'a/b', 'size': "
            "'38', 'zz': 'True', 'item_name': 'i', 'item_url': 'base/a/b'}");
}

/// The short cuts say what the whole says.
TEST_F(RecordTest, AppendsTheSameWhetherTagsCollideOrNot) {
  const Json plain = {{"ftype", "squashfs"}, {"a", "first"}, {"zz", "last"}};
  const Json spoofing = {{"version_name", "w"}, {"product_name", "q"}, {"item_name", "j"}};
  Record record("base/");
  for (const Json* own : std::vector<const Json*>{&node, &plain, &spoofing, &node}) {
    const Item one(pedigree, top, product, version, *own);
    std::string dict = "x";
    record.append_dict(one, dict);
    EXPECT_EQ(dict, "x" + sstream::python_dict(record.pairs(one)));
    std::string json;
    record.append_json(one, json);
    Json object = Json::object();
    std::string names;
    for (const auto& [key, value] : record.pairs(one)) {
      object[key] = value;
    }
    EXPECT_EQ(Json::parse(json), object);
    auto expected = object.dump(2, ' ', true);
    for (std::size_t at = 0; (at = expected.find('\n', at)) != std::string::npos; at += 3) {
      expected.insert(at + 1, "  ");
    }
    EXPECT_EQ(json, expected);
  }
}

TEST_F(RecordTest, FormatsAsPythonDoes) {
  EXPECT_EQ(format("%(path)s %(size)s %(item_url)s"), "a/b 38 base/a/b");
  EXPECT_EQ(format("100%% [%(arch)8s] [%(arch)-8s] [%(arch).3s] [%(e)4s]"),
            "100% [   amd64] [amd64   ] [amd] [  \u00e9\u00e9]");
  EXPECT_EQ(format("%(product_name)r %(e)a \\n"), "'p' '\\xe9\\xe9' \\n");
  EXPECT_EQ(format("no field"), "no field");
  EXPECT_EQ(format("%(path)s %(nosuch)s"), "missing nosuch");
  EXPECT_EQ(format("%(list)s"), "missing list");
}

TEST_F(RecordTest, RefusesFormatsThatWouldFailForEveryItem) {
  EXPECT_NE(refusal("x %(size)d").find("character 3: %d: every value is a text"),
            std::string::npos);
  for (const char* bad : {"%", "%(size", "%(size)", "%(size)5", "%s", "%(a)*s", "%(a)99999999s"}) {
    EXPECT_NE(refusal(bad), "accepted") << bad;
  }
}

}  // namespace

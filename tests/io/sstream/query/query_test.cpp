#include "sstream/query/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/publication_world.h"
#include "tests/support/refused.h"

namespace {

using sstream::QueryOptions;
using sstream::QueryOutput;
using testing::HasSubstr;

constexpr const char* products_path = "s/streams/v1/c:1.json";

class Query : public testing::Test {
 protected:
  Query() {
    world.write(products_path, document());
    world.write("s/streams/v1/index.json",
                R"({"format": "index:1.0", "index": {"c:1": {"format": "products:1.0",
                    "path": "streams/v1/c:1.json", "products": ["q", "p"]}}})");
  }

  /// Not sorted, as no tool of ours writes it: the order of a document is that of the output.
  static std::string document() {
    return R"({"content_id": "c:1", "format": "products:1.0", "products": {
        "q": {"arch": "arm64", "versions": {
          "20260110": {"items": {"z": {"path": "q/10/z"}, "a": {"path": "q/10/a"}}},
          "20260102": {"items": {"a": {"path": "q/2/a"}}},
          "20260110.10": {"items": {"a": {"path": "q/10.10/a", "x": "only"}}},
          "20260110.2": {"items": {"b": {"note": "no file"}}}}},
        "p": {"versions": {"1": {"items": {"a": {"path": "p/1/a"}}}}, "arch": "amd64"}}})";
  }

  std::string run(QueryOptions options) {
    options.source = options.source.empty() ? world.path("s") : options.source;
    std::string out;
    complaints.clear();
    sstream::query(options,
                   {[&](std::string_view text) { out += text; },
                    [&](std::string_view text) { complaints += text; }},
                   world.context);
    return out;
  }

  QueryOptions formatted(const std::string& format) const {
    QueryOptions options;
    options.output = QueryOutput::format;
    options.format = format;
    return options;
  }

  support::World world;
  std::string complaints;
};

TEST_F(Query, ListsInTheOrderOfTheDocumentNewestVersionFirst) {
  EXPECT_EQ(run(formatted("%(version_name)s %(item_name)s %(arch)s")),
            "20260110.2 b arm64\n20260110.10 a arm64\n20260110 z arm64\n20260110 a arm64\n"
            "20260102 a arm64\n1 a amd64\n");
}

TEST_F(Query, CountsTheNewestVersionsAfterFiltering) {
  auto options = formatted("%(version_name)s");
  options.max = 2;
  EXPECT_EQ(run(options), "20260110.2\n20260110.10\n1\n");
  options.filters = {"item_name=a"};
  EXPECT_EQ(run(options), "20260110.10\n20260110\n1\n");
  options.max = 0;
  EXPECT_EQ(run(options), "");
}

TEST_F(Query, ComplainsOfWhatIsShownOnly) {
  auto options = formatted("%(x)s");
  options.max = 2;
  EXPECT_EQ(run(options), "only\n");
  EXPECT_THAT(complaints, HasSubstr("output format failed. Missing x\nitem: {'content_id': 'c:1'"));
  EXPECT_THAT(complaints, testing::Not(HasSubstr("20260102")));
}

TEST_F(Query, PrintsOneJsonArray) {
  QueryOptions options;
  options.output = QueryOutput::json;
  const auto all = io::parse_json(run(options), "out");
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0], (io::Json{{"arch", "arm64"},
                              {"content_id", "c:1"},
                              {"format", "products:1.0"},
                              {"item_name", "b"},
                              {"note", "no file"},
                              {"product_name", "q"},
                              {"version_name", "20260110.2"}}));
  options.filters = {"arch=none"};
  EXPECT_EQ(run(options), "[]\n");
}

TEST_F(Query, TakesTheVerifiersWordForWhatASignedFileHolds) {
  const support::GpgHome home;
  const auto key = home.make_key();
  const auto keyring = world.write("keyring.gpg", home.export_keys({key}));
  const io::Signer signer(key, world.clock);
  world.write("s/streams/v1/c:1.sjson", signer.clearsign(document()));
  auto options = formatted("%(path)s");
  options.trust.keyring = keyring;
  options.path = "streams/v1/c:1.sjson";
  options.max = 1;
  options.filters = {"product_name=p"};
  EXPECT_EQ(run(options), "p/1/a\n");
  // A file without a signature, or with another's text, is nothing to list.
  options.path = "streams/v1/c:1.json";
  EXPECT_THROW(run(options), base::Error);
  world.write("s/streams/v1/c:1.json.gpg", signer.sign_detached("{}"));
  EXPECT_THROW(run(options), base::Error);
  world.write("s/streams/v1/c:1.json.gpg", signer.sign_detached(document()));
  EXPECT_EQ(run(options), "p/1/a\n");
}

TEST_F(Query, RefusesAnUnsafePathAndAContentThatTheIndexCallsOtherwise) {
  world.write(products_path, R"({"content_id": "c:1", "format": "products:1.0", "products": {
      "p": {"versions": {"1": {"items": {"a": {"path": "../x"}}}}}}})");
  EXPECT_THROW(run(formatted("%(path)s")), base::Error);
  world.write(products_path, R"({"content_id": "c:2", "format": "products:1.0", "products": {}})");
  EXPECT_THROW(run(formatted("%(path)s")), base::Error);
  auto direct = formatted("%(path)s");
  direct.source = world.path(products_path);
  EXPECT_EQ(run(direct), "");
}

TEST_F(Query, JudgesFormatAndFiltersBeforeItReads) {
  auto options = formatted("%(size)d");
  options.source = world.path("nowhere");
  support::refused(base::Errc::usage, [&] { run(options); });
}

}  // namespace

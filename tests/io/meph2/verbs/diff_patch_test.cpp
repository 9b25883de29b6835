#include <random>

#include "io/yaml/yaml.h"
#include "meph2/verbs/diff.h"
#include "meph2/verbs/patch.h"
#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/http_server.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using io::Json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* candidate = "com.ubuntu.maas:candidate:v3:download";
constexpr const char* stable = "com.ubuntu.maas:stable:v3:download";
constexpr const char* stream_key = "com.ubuntu.maas:v3:download.json";
constexpr const char* bare_ga = "com.ubuntu.maas:v3:boot:24.04:amd64:ga-24.04";

class DiffPatch : public verbs::Verb {
 protected:
  DiffPatch() {
    make_stream("cand", {{}, {.version = "20260102"}, {.subarch = "hwe-24.04"}}, candidate,
                ".candidate");
    make_stream("stab", {{}, {.version = "20251201"}}, stable, ".stable");
  }

  meph2::DiffOptions asked(const std::string& source, const std::string& target) const {
    meph2::DiffOptions options;
    options.source = world.path(source);
    options.target = world.path(target);
    return options;
  }

  Json diff(const meph2::DiffOptions& options) { return meph2::diff(options, world.context); }

  Json diff(const std::string& source = "cand", const std::string& target = "stab") {
    return diff(asked(source, target));
  }

  meph2::PatchOptions patch_options(const std::string& text, const std::string& source = "cand",
                                    const std::string& target = "stab") const {
    meph2::PatchOptions options;
    options.patches = meph2::parse_patch(text, "p.yaml");
    options.source = source.empty() || io::is_http_url(source) ? source : world.path(source);
    options.target = world.path(target);
    options.publish = unsigned_options("patch");
    options.publish.create = false;
    return options;
  }

  meph2::PatchResult patch(const std::string& text, const std::string& source = "cand",
                           const std::string& target = "stab") {
    return meph2::patch(patch_options(text, source, target), world.context);
  }

  base::Error refusal(const std::string& text, const std::string& source = "cand") {
    const auto before = witness("stab");
    auto failure = support::refused([&] { patch(text, source); });
    EXPECT_EQ(witness("stab"), before);
    return failure;
  }

  static std::string entry(const std::string& rest) {
    return base::cat(stream_key, ":\n  ", bare_ga, ": ", rest, "\n");
  }

  Json product(const std::string& subarch = "ga-24.04") const {
    return tree("stab", stable).at("products").value(product_of(subarch, ".stable"), Json());
  }
};

TEST_F(DiffPatch, DiffNamesVersionsProductsAndTagsThatDiffer) {
  auto cand = tree("cand", candidate);
  cand["products"][product_of("ga-24.04", ".candidate")]["support_eol"] = "2030-01-01";
  write_stream("cand", cand);
  const Json only_cand = Json::array({"candidate"});
  const Json only_stab = Json::array({"stable"});
  EXPECT_EQ(
      diff(),
      (Json{{stream_key,
             {{bare_ga,
               {{"support_eol", {{"candidate", "2030-01-01"}, {"stable", nullptr}}},
                {"versions",
                 {{"20260102", {{"labels", only_cand}}}, {"20251201", {{"labels", only_stab}}}}}}},
              {"com.ubuntu.maas:v3:boot:24.04:amd64:hwe-24.04", {{"labels", only_cand}}}}}}));
  auto options = asked("cand", "stab");
  options.new_versions_only = true;
  options.promote = true;
  EXPECT_EQ(diff(options).at(stream_key).at(bare_ga).at("versions"),
            (Json{{"20260102", {{"labels", {"candidate", "stable"}}}}}));
  EXPECT_EQ(diff("cand", "cand"), Json::object());
}

TEST_F(DiffPatch, DiffReportsItemsThatDifferAndStreamsThatOneSideLacks) {
  make_stream("other", {{.kernel = "other"}, {.version = "20260102"}, {.subarch = "hwe-24.04"}},
              candidate, ".candidate");
  make_stream("other", {{}}, "com.ubuntu.maas:candidate:v9:download", ".candidate");
  const auto result = diff("cand", "other");
  EXPECT_EQ(result.at("com.ubuntu.maas:v9:download.json"),
            (Json{{"not_merged", Json::array({"candidate"})}}));
  const auto& version = result.at(stream_key).at(bare_ga).at("versions").at("20260101");
  // Two streams of one label are told apart.
  EXPECT_EQ(version.at("labels"), Json({"candidate:source", "candidate:target"}));
  EXPECT_EQ(version.at("items").at("boot-kernel").at("sha256"),
            (Json{{"candidate:source", sha256("kernel")}, {"candidate:target", sha256("other")}}));
  EXPECT_FALSE(version.at("items").contains("squashfs"));
}

/// Which level a tag stands on says nothing.
TEST_F(DiffPatch, DiffSeesTagsWhereverTheyStand) {
  auto cand = tree("cand", candidate);
  auto& node = cand["products"][product_of("ga-24.04", ".candidate")];
  for (auto& version : node["versions"]) {
    version["release"] = node.at("release");
    for (auto& item : version["items"]) {
      item["arch"] = "amd64";
    }
  }
  node.erase("release");
  node.erase("arch");
  write_stream("cand", cand);
  const auto result = diff().at(stream_key).at(bare_ga);
  EXPECT_FALSE(result.contains("release"));
  EXPECT_FALSE(result.contains("arch"));
  EXPECT_FALSE(result.at("versions").contains("20260101"));
}

TEST_F(DiffPatch, PatchBringsVersionsAndProductsOverWithTheTargetsLabel) {
  auto options = asked("cand", "stab");
  options.promote = true;
  const auto text = io::to_yaml(diff(options));
  auto dry = patch_options(text);
  dry.publish.dry_run = true;
  const auto before = witness("stab");
  const auto planned = meph2::patch(dry, world.context);
  EXPECT_EQ(witness("stab"), before);
  const auto done = patch(text);
  expect_same_report(planned, done);
  EXPECT_EQ(planned.changes, done.changes);
  EXPECT_EQ(product().at("label"), "stable");
  EXPECT_EQ(product().at("priority"), 7);
  EXPECT_TRUE(product().at("versions").contains("20260102"));
  EXPECT_TRUE(product().at("versions").contains("20251201"));
  EXPECT_EQ(product("hwe-24.04").at("label"), "stable");
  EXPECT_EQ(base::read_file(world.path("stab/noble/amd64/20260102/ga-24.04/boot-kernel")),
            "kernel");
  const auto rest = diff().at(stream_key);
  ASSERT_EQ(rest.size(), 1U);  // what only the target has stays
  EXPECT_EQ(rest.at(bare_ga), (Json{{"versions", {{"20251201", {{"labels", {"stable"}}}}}}}));
  // Again: nothing to do, nothing touched.
  const auto after = witness("stab");
  EXPECT_FALSE(patch(text).published.changed);
  EXPECT_EQ(witness("stab"), after);
}

TEST_F(DiffPatch, PatchDeletesWhatLacksTheLabelAndConverges) {
  const auto text = entry("{versions: {'20251201': {labels: []}}}");
  EXPECT_THAT(patch(text, "").changes, ElementsAre(base::cat("Deleting version 20251201 of ",
                                                             product_of("ga-24.04", ".stable"))));
  EXPECT_FALSE(product().at("versions").contains("20251201"));
  EXPECT_FALSE(patch(text, "").published.changed);
  EXPECT_TRUE(patch(entry("{labels: [candidate]}"), "").published.changed);
  EXPECT_TRUE(product().is_null());
  EXPECT_FALSE(patch(entry("{labels: [candidate]}"), "").published.changed);
}

TEST_F(DiffPatch, PatchSetsTypedValuesWhereverATagStands) {
  auto stab = tree("stab", stable);
  auto& versions = stab["products"][product_of("ga-24.04", ".stable")]["versions"];
  versions["20260101"]["support_eol"] = "2029-01-01";
  versions["20251201"]["items"]["squashfs"]["support_eol"] = "2028-01-01";
  write_stream("stab", stab);
  const auto text = base::cat(stream_key, R"(:
  com.ubuntu.maas:v3:boot:.*:
    support_eol: {stable: 2030-07-22, candidate: 2031-01-01}
    priority: {stable: 8}
    fast: {stable: true}
    ratio: {stable: 1.5}
    release: {stable: null}
    tags: {stable: [a, {b: 1}]}
    other: {candidate: x}
)");
  EXPECT_EQ(patch(text, "").changes.size(), 6U);
  const auto node = product();
  EXPECT_EQ(node.at("support_eol"), "2030-07-22");
  EXPECT_FALSE(node.at("versions").at("20260101").contains("support_eol"));
  EXPECT_FALSE(
      node.at("versions").at("20251201").at("items").at("squashfs").contains("support_eol"));
  EXPECT_EQ(node.at("priority"), 8);
  EXPECT_EQ(node.at("fast"), true);
  EXPECT_EQ(node.at("ratio"), 1.5);
  EXPECT_EQ(node.at("tags"), Json::parse(R"(["a", {"b": 1}])"));
  EXPECT_FALSE(node.contains("release"));
  EXPECT_FALSE(node.contains("other"));
  EXPECT_EQ(node.at("notes"), Json({"typed", 1, true}));
  EXPECT_NE(tree("stab", stable).at("updated"), "Mon, 01 Dec 2025 00:00:00 +0000");
  EXPECT_FALSE(patch(text, "").published.changed);
}

TEST_F(DiffPatch, PatchRefusesWhatItCannotDoAndChangesNothing) {
  const auto code_and_text = [&](const std::string& text, Errc code, const std::string& said,
                                 const std::string& source = "cand") {
    const auto failure = refusal(text, source);
    EXPECT_EQ(failure.code(), code) << failure.what();
    EXPECT_THAT(failure.what(), HasSubstr(said));
  };
  const std::string fine = "    versions: {'20260102': {labels: [stable]}}\n";
  // An earlier entry that could be done is not done either.
  code_and_text(
      base::cat(stream_key, ":\n  ", bare_ga, ":\n", fine, "  zz-typo: {eol: {stable: x}}\n"),
      Errc::not_found, "p.yaml:4:3: /com.ubuntu.maas:v3:download.json/zz-typo");
  code_and_text(base::cat(stream_key, ": {nosuch: {labels: [stable]}}\n"), Errc::not_found,
                "nosuch");
  code_and_text("com.ubuntu.maas:v9:download.json: {'.*': {labels: [stable]}}", Errc::not_found,
                "target stream com.ubuntu.maas:v9:download.json not found");
  code_and_text(entry("{versions: {'20990101': {labels: [stable]}}}"), Errc::not_found, "20990101");
  code_and_text(entry("{versions: {'20260102': {labels: [stable]}}}"), Errc::failed,
                "a source must be given", "");
  code_and_text(base::cat(stream_key, ": {nosuch: {labels: [stable]}}\n"), Errc::failed,
                "a source must be given", "");
  world.write("cand/noble/amd64/20260102/ga-24.04/boot-kernel", "damage");
  code_and_text(entry("{versions: {'20260102': {labels: [stable]}}}"), Errc::untrusted,
                "boot-kernel");
  world.write("cand/noble/amd64/20260102/ga-24.04/boot-kernel", "kernel");
  world.write("stab/noble/amd64/20260102/squashfs", "in the way");
  code_and_text(entry("{versions: {'20260102': {labels: [stable]}}}"), Errc::conflict, "squashfs");
}

TEST_F(DiffPatch, PatchAddsFromAnHttpSource) {
  support::HttpServer server;
  server.offer_directory("/", world.path("cand"));
  const auto http = io::make_http_client({});
  const sstream::Context context{world.clock, world.log, world.progress, *http, {}};
  meph2::patch(
      patch_options(entry("{versions: {'20260102': {labels: [stable]}}}"), server.url("/")),
      context);
  EXPECT_EQ(base::read_file(world.path("stab/noble/amd64/20260102/squashfs")), "squashfs");
}

/// Streams of any content: a promoting diff, applied, leaves nothing that the source has and the
/// target lacks; again it changes nothing.
TEST_F(DiffPatch, APromotingDiffAppliedLeavesNoneOfItsDifferences) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    const auto images = [&](unsigned percent) {
      std::vector<verbs::Image> chosen;
      for (const char* subarch : {"ga-24.04", "hwe-24.04", "edge"}) {
        for (const char* version : {"20260101", "20260102", "20260102.1", "20260110"}) {
          if (random() % 100 < percent) {
            chosen.push_back({subarch, version, base::cat(subarch, version), version});
          }
        }
      }
      return chosen;
    };
    const auto source = base::cat("s", seed);
    const auto target = base::cat("t", seed);
    make_stream(source, {{"always", "1", "k", "q"}}, candidate, ".candidate");
    make_stream(source, images(70), candidate, ".candidate");
    make_stream(target, {{"always", "1", "k", "q"}}, stable, ".stable");
    make_stream(target, images(40), stable, ".stable");
    auto options = asked(source, target);
    options.promote = true;
    const auto text = io::to_yaml(diff(options));
    const auto all = diff(options);
    if (all.empty()) {
      continue;
    }
    patch(text, source, target);
    const auto after = witness(target);
    EXPECT_FALSE(patch(text, source, target).published.changed);
    EXPECT_EQ(witness(target), after);
    const auto left = diff(source, target).value(stream_key, Json::object());
    for (const auto& [product, node] : left.items()) {
      EXPECT_EQ(node.value("labels", Json::array({"stable"})), Json::array({"stable"})) << left;
      const auto versions = node.value("versions", Json::object());
      for (const auto& [version, state] : versions.items()) {
        EXPECT_EQ(state, (Json{{"labels", {"stable"}}})) << left;
      }
      EXPECT_TRUE(node.contains("labels") || node.size() == 1) << left;
    }
  }
}

}  // namespace

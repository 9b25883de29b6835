#include "meph2/lint/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "io/json/lines.h"
#include "meph2/lint/chosen_profiles.h"
#include "sstream/lint/changed_part.h"
#include "tests/io/meph2/lint/good_streams.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"

namespace lint_test {

namespace {

using testing::HasSubstr;

/// Two generations next to each other.
class Gate : public testing::Test {
 protected:
  /// What the gate says to `next` after `live`; empty: nothing.
  std::string verdict(const StreamModel& live, const StreamModel& next,
                      meph2::LintGate mode = meph2::LintGate::refuse) {
    live.write(world_.path("live"));
    next.write(world_.path("next"));
    const auto before = base::open_directory(world_.path("live/streams/v1"));
    const auto after = base::open_directory(world_.path("next/streams/v1"));
    std::vector<std::string> written;
    for (const auto& [name, json] : next.documents) {
      written.push_back(name);
    }
    world_.lines.clear();
    try {
      const sstream::Repository repository(world_.path("live"), sstream::Access::read);
      meph2::lint_gate(mode, {repository, before.fd(), after.fd(), written}, world_.context);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Errc::refused);
      return error.what();
    }
    return {};
  }

  std::string log() const { return base::join(world_.lines, "\n"); }

  support::World world_;
};

TEST_F(Gate, LetsWhatIsCleanThrough) {
  EXPECT_EQ(verdict(maas_stream(), maas_stream()), "");
  EXPECT_EQ(verdict(container_stream(), container_stream()), "");
  EXPECT_EQ(log(), "");
}

TEST_F(Gate, RefusesANewErrorAndSaysHowToGoOn) {
  auto next = maas_stream();
  next.product(ubuntu).erase("label");
  const auto text = verdict(maas_stream(), next);
  EXPECT_THAT(text, HasSubstr("product-label: streams/v1/com.ubuntu.maas:stable:v3:download.json "
                              "/products/com.ubuntu.maas:v3:boot:24.04:amd64:ga-24.04"));
  EXPECT_THAT(text, HasSubstr("--lint=warn"));
}

TEST_F(Gate, WarnsWhereItIsToldTo) {
  auto next = maas_stream();
  next.product(ubuntu).erase("label");
  EXPECT_EQ(verdict(maas_stream(), next, meph2::LintGate::warn), "");
  EXPECT_THAT(log(), HasSubstr("product-label"));
}

TEST_F(Gate, DoesNotPunishWhatWasThereBefore) {
  auto live = maas_stream();
  live.product(ubuntu).erase("label");
  EXPECT_EQ(verdict(live, live), "");
  EXPECT_THAT(log(), HasSubstr("lint: 1 error that the stream had before"));
}

TEST_F(Gate, LetsTheLastOneGo) {
  auto next = maas_stream();
  next.file(centos)["products"] = io::Json::object();
  EXPECT_EQ(verdict(maas_stream(), next), "");
  EXPECT_THAT(log(), HasSubstr("products-empty"));
}

TEST_F(Gate, AsksForWhomTheStreamIs) {
  auto next = container_stream();
  next.item(images, "root.squashfs")["size"] = "7";
  EXPECT_THAT(verdict(container_stream(), next), HasSubstr("item-size-type"));
  auto other = juju_stream();
  EXPECT_EQ(verdict(juju_stream(), other), "");  // no MAAS: nobody misses a label
}

TEST_F(Gate, GoesByWhatWasChosen) {
  auto next = maas_stream();
  next.product(ubuntu).erase("label");
  world_.write("live/streams/here", "");
  meph2::choose_profiles(world_.path("live"), {"lxd", "simplestreams"});
  EXPECT_EQ(verdict(maas_stream(), next), "");
  meph2::choose_profiles(world_.path("live"), {"lxd", "maas"});
  EXPECT_THAT(verdict(maas_stream(), next), HasSubstr("product-label"));
  meph2::choose_profiles(world_.path("live"), {});
  EXPECT_THAT(verdict(maas_stream(), next), HasSubstr("product-label"));
  EXPECT_THROW(meph2::choose_profiles(world_.path("live"), {"debian"}), base::Error);
}

TEST_F(Gate, SaysWhatIsWrongWithTheChoice) {
  for (const auto* text : {"{\"profiles\": [\"debian\"]}", "{\"profiles\": [7]}", "[]", "{}"}) {
    world_.write("live/.data/.sstream/lint.json", text);
    const sstream::Repository repository(world_.path("live"), sstream::Access::read);
    const auto said =
        support::refused(base::Errc::usage, [&] { meph2::chosen_profiles(repository); });
    EXPECT_THAT(said, HasSubstr("/.data/.sstream/lint.json: "));
    EXPECT_THAT(said, testing::AnyOf(HasSubstr("` forgets it"), HasSubstr("only maas")));
  }
}

TEST_F(Gate, LooksAtTheIndex) {
  auto next = maas_stream();
  next.entry(centos)["datatype"] = "content-download";
  EXPECT_THAT(verdict(maas_stream(), next), HasSubstr("entry-datatype"));
}

/// So many versions that documents are compared as text first.
StreamModel large_stream() {
  auto model = maas_stream();
  auto& versions = model.product(ubuntu)["versions"];
  const auto version = *versions.begin();
  for (int i = 0; i < 4000; ++i) {
    versions[base::cat(10000000 + i)] = version;
  }
  return model;
}

TEST_F(Gate, SeesWhatIsNewInALargeDocument) {
  const auto live = large_stream();
  EXPECT_EQ(verdict(live, live), "");
  EXPECT_EQ(log(), "");
  auto next = live;
  next.product(ubuntu)["versions"]["20260102"]["items"].erase("manifest");
  EXPECT_THAT(verdict(live, next), HasSubstr("maas-multi-items: streams/v1/com.ubuntu.maas:stable:"
                                             "v3:download.json /products/com.ubuntu.maas:v3:boot:"
                                             "24.04:amd64:ga-24.04/versions/20260102"));
  next = live;
  next.product(ubuntu)["version"] = 24.04;
  EXPECT_THAT(verdict(live, next), HasSubstr("maas-product-strings"));
  next = live;
  next.product(ubuntu)["versions"]["30000000.9"] = next.version(ubuntu);
  next.product(ubuntu)["versions"]["30000000.10"] = next.version(ubuntu);
  EXPECT_THAT(verdict(live, next), HasSubstr("version-order"));
}

TEST_F(Gate, ThePartThatChangedIsJsonAndHoldsWhatIsNew) {
  auto before = large_stream();
  auto after = before;
  after.product(ubuntu)["versions"]["20260102"]["items"].erase("manifest");
  after.product(ubuntu)["versions"].erase("10000007");
  before.write(world_.path("live"));
  after.write(world_.path("next"));
  const auto name = base::cat("streams/v1/", ubuntu, ".json");
  auto live = base::open_file(world_.path("live/" + name), O_RDONLY);
  auto next = base::open_file(world_.path("next/" + name), O_RDONLY);
  auto part = sstream::lint::changed_part(live, next);
  ASSERT_TRUE(part.has_value());
  const auto json = io::read_json(*part);
  ASSERT_EQ(json.at("products").size(), after.file(ubuntu).at("products").size());
  for (const auto& product : json.at("products").items()) {
    const auto& whole = after.file(ubuntu).at("products").at(product.key());
    bool first = true;
    ASSERT_EQ(product.value().at("versions").size(), whole.at("versions").size());
    for (const auto& version : product.value().at("versions").items()) {
      const bool changed =
          product.key().find("amd64") != std::string::npos && version.key() == "20260102";
      if (first || changed) {
        EXPECT_EQ(version.value(), whole.at("versions").at(version.key())) << version.key();
      } else {
        EXPECT_EQ(version.value(), io::Json({{"items", io::Json::object()}})) << version.key();
      }
      first = false;
    }
  }
}

TEST_F(Gate, AnotherLayoutIsNotComparedAsText) {
  world_.write("a", "{\"products\": {}}");
  auto a = base::open_file(world_.path("a"), O_RDONLY);
  auto b = base::open_file(world_.path("a"), O_RDONLY);
  EXPECT_FALSE(sstream::lint::changed_part(a, b).has_value());
}

TEST(JsonLines, NamesTheLineOfKeysAndElements) {
  support::World world;
  world.write("j", "{\n \"a/b\": [\n  1,\n  {\"x~\": 2}\n ],\n \"c\": {\"d\":\n 3}\n}\n");
  const auto file = base::open_file(world.path("j"), O_RDONLY);
  const auto lines =
      io::lines_of(file, {"/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/x~0", "/c/d", "/c/e", "/c"});
  const std::map<std::string, std::uint64_t> wanted = {
      {"/a~1b", 2}, {"/a~1b/0", 3}, {"/a~1b/1", 4}, {"/a~1b/1/x~0", 4}, {"/c", 6}, {"/c/d", 6}};
  EXPECT_EQ(lines, wanted);
}

}  // namespace

}  // namespace lint_test

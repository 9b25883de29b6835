#include "sstream/source/content_source.h"

#include <gtest/gtest.h>

#include "tests/support/publication_world.h"

namespace {

using base::Errc;
using support::World;

TEST(SplitLocation, CutsAtTheStreamDirectory) {
  using sstream::split_location;
  const auto pair = [](const char* a, const char* b) {
    return std::pair<std::string, std::string>(a, b);
  };
  EXPECT_EQ(split_location("http://h/x/streams/v1/index.json"),
            pair("http://h/x/", "streams/v1/index.json"));
  EXPECT_EQ(split_location("streams/v1/a:b.sjson"), pair("./", "streams/v1/a:b.sjson"));
  EXPECT_EQ(split_location("http://h"), pair("http://h/", ""));
  EXPECT_EQ(split_location("dir/"), pair("dir/", ""));
  EXPECT_EQ(split_location("mystreams/v1/x.json"), pair("mystreams/v1/x.json/", ""));
}

class ContentSource : public testing::Test {
 protected:
  ContentSource() {
    const io::Json tree = {{"content_id", "c:1"},
                           {"datatype", "image-downloads"},
                           {"format", "products:1.0"},
                           {"products", io::Json::object()},
                           {"updated", "Mon, 01 Jan 2024 00:00:00 +0000"}};
    const io::Json index = {{"format", "index:1.0"},
                            {"index",
                             {{"c:1",
                               {{"format", "products:1.0"},
                                {"path", "streams/v1/c:1.json"},
                                {"products", io::Json::array()}}}}}};
    world.write("s/streams/v1/c:1.json", io::to_text(tree));
    world.write("s/streams/v1/index.json", io::to_text(index));
    keyring = world.write("keyring.gpg", home.export_keys({key}));
  }

  void sign_detached(const std::string& name) {
    const io::Signer signer(key, world.clock);
    world.write(name + ".gpg", signer.sign_detached(base::read_file(world.path(name))));
  }

  Errc code_of(const sstream::TrustOptions& trust, const std::string& where = "s") {
    try {
      auto source = sstream::ContentSource::open(world.path(where), trust, world.context);
      for (const auto& entry : source.entries()) {
        source.read(entry);
      }
    } catch (const base::Error& error) {
      return error.code();
    }
    return Errc::internal;
  }

  World world;
  support::GpgHome home;
  std::string key = home.make_key();
  std::string keyring;
};

TEST_F(ContentSource, ALocalUnsignedDirectoryIsReadByItsIndex) {
  auto source = sstream::ContentSource::open(world.path("s"), {}, world.context);
  ASSERT_EQ(source.entries().size(), 1U);
  EXPECT_EQ(source.read(source.entries()[0]).content_id(), "c:1");
  EXPECT_FALSE(source.verified());
  EXPECT_EQ(source.locate("a/b"), world.path("s/a/b"));
}

TEST_F(ContentSource, AKeyringDemandsSignaturesWhateverTheSuffix) {
  sstream::TrustOptions trust;
  trust.keyring = keyring;
  EXPECT_EQ(code_of(trust), Errc::untrusted);
  EXPECT_EQ(code_of(trust, "s/streams/v1/c:1.json"), Errc::untrusted);
  sign_detached("s/streams/v1/index.json");
  EXPECT_EQ(code_of(trust), Errc::untrusted);  // the products file is not signed yet
  sign_detached("s/streams/v1/c:1.json");
  auto source = sstream::ContentSource::open(world.path("s"), trust, world.context);
  EXPECT_EQ(source.read(source.entries()[0]).content_id(), "c:1");
  EXPECT_TRUE(source.verified());
}

TEST_F(ContentSource, RefusesWhatTheIndexDoesNotMean) {
  auto tree = world.read_json("s/streams/v1/c:1.json");
  tree["content_id"] = "c:2";
  world.write("s/streams/v1/c:1.json", io::to_text(tree));
  EXPECT_EQ(code_of({}), Errc::untrusted);
}

TEST_F(ContentSource, NamesWhatIsMissing) {
  EXPECT_EQ(code_of({}, "nowhere"), Errc::not_found);
  sstream::TrustOptions trust;
  trust.keyring = world.path("nosuch.gpg");
  EXPECT_EQ(code_of(trust), Errc::untrusted);
  trust = {};
  trust.require_signed = true;
  EXPECT_EQ(code_of(trust), Errc::usage);
}

}  // namespace

#include "tests/io/meph2/keys/signed_world.h"

namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KeyStatus : public keys::SignedWorld {};

TEST_F(KeyStatus, NamesTheKeyOfEachFile) {
  const auto key = make_key("one");
  publish("1", key);
  const auto found = status();
  EXPECT_THAT(found.problems, IsEmpty());
  ASSERT_EQ(found.files.size(), 4U);
  for (const auto& file : found.files) {
    EXPECT_EQ(file.state, "good") << file.name << ": " << file.reason;
    EXPECT_EQ(file.fingerprint, key);
  }
  EXPECT_EQ(found.files[0].name, "streams/v1/com.example:x.json.gpg");
  EXPECT_EQ(found.files[3].name, "streams/v1/index.sjson");
  ASSERT_EQ(found.keys.size(), 1U);
  const auto& own = found.keys.front();
  EXPECT_EQ(own.info.fingerprint, key);
  EXPECT_EQ(own.info.user_id, "one <one@example.com>");
  EXPECT_EQ(own.info.algorithm, "ed25519");
  EXPECT_FALSE(own.days);
  EXPECT_TRUE(own.signs);
  EXPECT_FALSE(own.published);
  EXPECT_EQ(found.signer, key);
}

TEST_F(KeyStatus, WhatIsNotSignedIsAProblem) {
  const auto key = make_key("one");
  publish("1", key, false);
  EXPECT_THAT(status().problems, ElementsAre(HasSubstr("the stream is unsigned")));
  publish("2", key);
  base::unlink_at(AT_FDCWD, world.path("s/streams/v1/com.example:x.sjson"));
  EXPECT_THAT(status().problems,
              ElementsAre(HasSubstr("streams/v1/com.example:x.sjson is missing")));
}

TEST_F(KeyStatus, ABadSignatureIsAProblem) {
  publish("1", make_key("one"));
  world.write("s/streams/v1/index.json",
              base::replace_all(read("streams/v1/index.json"), "2026", "2027"));
  const auto found = status();
  EXPECT_THAT(found.problems,
              ElementsAre(AllOf(HasSubstr("index.json.gpg"), HasSubstr("bad signature")),
                          AllOf(HasSubstr("index.sjson"), HasSubstr("another content"))));
}

TEST_F(KeyStatus, AKeyThatEndsSoonIsAProblem) {
  const auto key = make_key("one", "2026-03-01");
  publish("1", key);
  EXPECT_THAT(status().problems, IsEmpty());
  EXPECT_GT(status().keys.front().days, 30);
  world.clock.advance(std::chrono::days(40));
  EXPECT_THAT(status().problems, ElementsAre(HasSubstr("ends within 30 days, on ")));
  world.clock.advance(std::chrono::days(40));
  EXPECT_THAT(status().problems, Contains(HasSubstr("key expired")));
  EXPECT_THAT(status().problems, Contains(HasSubstr(key + " ended on ")));
}

TEST_F(KeyStatus, AnotherKeyringDecidesWhereItIsNamed) {
  const auto key = make_key("one");
  const auto other = make_key("two");
  publish("1", key);
  const auto keyring = world.write("two.gpg", home.export_keys({other}));
  const auto found = status(keyring);
  EXPECT_THAT(found.problems, testing::SizeIs(4));
  EXPECT_THAT(found.problems, testing::Each(HasSubstr(key)));
  world.write("s/keyring.gpg", home.export_keys({other}));
  EXPECT_THAT(status().problems,
              ElementsAre(AllOf(HasSubstr("keyring.gpg does not hold"), HasSubstr(key)),
                          HasSubstr("keyring.asc does not hold")));
  EXPECT_THROW(status(world.write("none.gpg", "x")), base::Error);
}

TEST_F(KeyStatus, WithoutAnyKeyringNothingIsVerified) {
  const auto key = make_key("one");
  publish("1", key);
  base::unlink_at(AT_FDCWD, world.path("s/.data/.sstream/state.json"));
  const auto found = status();
  EXPECT_THAT(found.problems, testing::SizeIs(4));
  EXPECT_THAT(found.problems, testing::Each(HasSubstr("no keyring")));
  EXPECT_THROW(meph2::key_status({world.path("none"), {}}, world.context), base::Error);
}

TEST_F(KeyStatus, KeysAreExportedInBothForms) {
  const auto key = make_key("one");
  make_key("two");
  const auto binary = meph2::export_key(key, false, world.context);
  const auto armored = meph2::export_key(key, true, world.context);
  EXPECT_EQ(io::Keyring::from_bytes(armored, "x").binary(), binary);
  publish("1", key);
  EXPECT_TRUE(gpgv_accepts(world.write("k.gpg", binary)));
  // gpg reads our armor, to the checksum.
  world.write("k.asc", armored);
  EXPECT_THAT(home.gpg({"--show-keys", "--with-colons", world.path("k.asc")}), HasSubstr(key));
  EXPECT_THROW(meph2::export_key("nobody", false, world.context), base::Error);
  EXPECT_THROW(meph2::export_key("example.com", false, world.context), base::Error);
}

}  // namespace

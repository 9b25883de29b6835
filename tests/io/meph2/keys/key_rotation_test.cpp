#include "tests/io/meph2/keys/signed_world.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KeyRotation : public keys::SignedWorld {
 protected:
  KeyRotation() {
    options_.target = stream();
    options_.lock_timeout = std::chrono::seconds(0);
  }

  void refused(const std::string& reason, const std::function<void()>& work,
               Errc code = Errc::refused) const {
    const auto before = index();
    const auto said = support::refused(code, [&] { work(); });
    EXPECT_THAT(said, HasSubstr(reason));
    EXPECT_THAT(said, HasSubstr("nothing changed"));
    EXPECT_EQ(index(), before);
  }

  /// The signed index, if there is one.
  std::string index() const {
    return base::exists_at(AT_FDCWD, world.path("s/streams/v1/index.sjson"))
               ? read("streams/v1/index.sjson")
               : std::string();
  }

  meph2::RotateResult announce(const std::string& key) {
    return meph2::announce_key(options_, key, world.context);
  }

  meph2::RotateResult change() { return meph2::switch_key(options_, world.context); }

  meph2::RotateOptions options_;
};

TEST_F(KeyRotation, FirstTheKeyringThenTheSignaturesThenTheOldKeyGoes) {
  const auto old_key = make_key("old");
  const auto new_key = make_key("new");
  publish("1", old_key);
  const auto index = read("streams/v1/index.json");

  const auto announced = announce(new_key);
  EXPECT_TRUE(announced.changed);
  EXPECT_THAT(announced.keyring, ElementsAre(old_key, new_key));
  EXPECT_EQ(read("streams/v1/index.json"), index);
  EXPECT_TRUE(gpgv_accepts(world.path("s/keyring.gpg")));
  EXPECT_EQ(io::Keyring::from_bytes(read("keyring.asc"), "x").binary(), read("keyring.gpg"));
  const auto old_readers = world.write("both.gpg", read("keyring.gpg"));
  const auto waiting = status();
  EXPECT_THAT(waiting.problems, IsEmpty());
  EXPECT_EQ(waiting.announced, new_key);
  EXPECT_EQ(waiting.keys.size(), 2U);

  refused("(--grace)", [&] { change(); });
  world.clock.advance(std::chrono::days(6));
  EXPECT_FALSE(announce(new_key).changed);  // and the time goes on
  world.clock.advance(std::chrono::days(1));
  const auto done = change();
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.key, new_key);
  EXPECT_EQ(done.published.signed_documents.size(), 2U);
  EXPECT_EQ(read("streams/v1/index.json"), index);
  EXPECT_TRUE(gpgv_accepts(old_readers));
  for (const auto& file : status().files) {
    EXPECT_EQ(file.fingerprint, new_key);
  }
  EXPECT_FALSE(change().changed);
  EXPECT_EQ(status().announced, "");

  EXPECT_TRUE(meph2::finish_rotation(options_, world.context).changed);
  EXPECT_FALSE(meph2::finish_rotation(options_, world.context).changed);
  EXPECT_TRUE(gpgv_accepts(world.path("s/keyring.gpg")));
  EXPECT_THAT(status().keys, testing::SizeIs(1));
  EXPECT_THAT(status().problems, IsEmpty());
  publish("2", new_key);
  EXPECT_THROW(publish("3", old_key), base::Error);
}

TEST_F(KeyRotation, EveryFileHasOneSignature) {
  const auto old_key = make_key("old");
  const auto new_key = make_key("new");
  publish("1", old_key);
  options_.grace = std::chrono::seconds(0);
  announce(new_key);
  change();
  // A reader that knows the new key only takes every file.
  const auto only = world.write("only.gpg", home.export_keys({new_key}));
  EXPECT_TRUE(gpgv_accepts(only));
  const auto verdict = support::run_gpgv_detached(only, read("streams/v1/index.json"),
                                                  read("streams/v1/index.json.gpg"));
  EXPECT_EQ(verdict.status, 0) << verdict.error;
}

TEST_F(KeyRotation, NothingIsSwitchedThatReadersCannotFollow) {
  const auto old_key = make_key("old");
  const auto new_key = make_key("new");
  publish("1", old_key);
  options_.grace = std::chrono::seconds(0);
  refused("no key was announced", [&] { change(); });
  announce(new_key);
  world.write("s/keyring.gpg", home.export_keys({old_key}));
  refused("does not hold " + new_key, [&] { change(); });
  world.write("s/keyring.gpg", home.export_keys({new_key}));
  refused("does not hold " + old_key, [&] { change(); });
  EXPECT_TRUE(announce(new_key).changed);
  EXPECT_TRUE(change().changed);
}

TEST_F(KeyRotation, WhatCannotSignIsNotAnnounced) {
  const auto old_key = make_key("old");
  publish("1", old_key, false);
  refused("never signed by this toolkit", [&] { announce(make_key("first")); });
  publish("2", old_key);
  refused("is the key that signs already", [&] { announce(old_key); });
  refused(
      "no secret key of that name", [&] { announce("nobody"); }, Errc::failed);
  refused(
      "expired", [&] { announce(make_key("ended", "2025-06-01")); }, Errc::failed);
  const auto new_key = make_key("new");
  world.write("s/streams/v1/index.json", read("streams/v1/index.json") + " ");
  refused("is not well signed", [&] { announce(new_key); });
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("s/keyring.gpg")));
}

TEST_F(KeyRotation, AnAnnouncementCanBeWithdrawn) {
  const auto old_key = make_key("old");
  publish("1", old_key);
  announce(make_key("new"));
  EXPECT_THAT(meph2::finish_rotation(options_, world.context).keyring, ElementsAre(old_key));
  EXPECT_EQ(status().announced, "");
  options_.grace = std::chrono::seconds(0);
  refused("no key was announced", [&] { change(); });
}

TEST_F(KeyRotation, ADryRunChangesNothing) {
  const auto old_key = make_key("old");
  const auto new_key = make_key("new");
  publish("1", old_key);
  options_.grace = std::chrono::seconds(0);
  options_.dry_run = true;
  EXPECT_TRUE(announce(new_key).changed);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("s/keyring.gpg")));
  options_.dry_run = false;
  announce(new_key);
  options_.dry_run = true;
  const auto before = read("streams/v1/index.sjson");
  EXPECT_TRUE(change().changed);
  EXPECT_TRUE(meph2::finish_rotation(options_, world.context).changed);
  EXPECT_EQ(read("streams/v1/index.sjson"), before);
  EXPECT_EQ(status().announced, new_key);
}

}  // namespace

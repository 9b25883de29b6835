#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/io/meph2/build/world.h"
#include "tests/support/refused.h"

namespace {

using testing::HasSubstr;
using world::make_source;
using world::products_file;
using world::sync_options;
using world::World;

/// A source, and a keyring file with one key.
class CloudimgTrust : public testing::Test {
 protected:
  CloudimgTrust() : key_(home_.make_key()) {
    // gpg signs at the real time, which must not be in the future.
    world_.clock.set(*base::parse_stamp("Sat, 01 Jan 2028 00:00:00 +0000"));
    source_ = make_source(world_, "ci", {{}});
    world_.write("keyring.gpg", home_.export_keys({key_}));
  }

  void sign(const std::string& key) {
    const auto text = world_.read(products_file);
    world_.write(
        products_file + ".gpg",
        home_.gpg({"--local-user", key, "--armor", "--detach-sign", "--output", "-"}, text));
    clear_signed_ = world_.path("ci/streams/v1/com.ubuntu.cloud:daily:download.sjson");
    world_.write("ci/streams/v1/com.ubuntu.cloud:daily:download.sjson",
                 home_.gpg({"--local-user", key, "--clearsign", "--output", "-"}, text));
  }

  meph2::CloudimgSyncOptions options(const std::string& source) {
    auto built = sync_options(world_, source);
    built.trust.keyring = world_.path("keyring.gpg");
    return built;
  }

  void expect_untrusted(const std::string& source, const std::string& reason) {
    EXPECT_THAT(support::refused(base::Errc::untrusted,
                                 [&] { meph2::cloudimg_sync(options(source), world_.context()); }),
                HasSubstr(reason));
    EXPECT_FALSE(world_.exists("out"));
  }

  support::GpgHome home_;
  std::string key_;
  World world_;
  std::string source_;
  std::string clear_signed_;
};

TEST_F(CloudimgTrust, AWellSignedSourceIsAccepted) {
  sign(key_);
  EXPECT_FALSE(meph2::cloudimg_sync(options(source_), world_.context()).failed());
  EXPECT_FALSE(meph2::cloudimg_sync(options(clear_signed_), world_.context()).failed());
}

TEST_F(CloudimgTrust, AnUnsignedSourceIsRefusedWhenAKeyringIsDemanded) {
  expect_untrusted(source_, "not signed");
}

TEST_F(CloudimgTrust, ABadlySignedSourceIsRefused) {
  sign(key_);
  world_.write(products_file,
               base::replace_all(world_.read(products_file), "20240105", "20240106"));
  expect_untrusted(source_, "signature");
}

TEST_F(CloudimgTrust, ASourceSignedByAnotherKeyIsRefused) {
  sign(home_.make_key({.user_id = "Other <other@example.com>"}));
  expect_untrusted(source_, "");
  expect_untrusted(clear_signed_, "");
}

TEST_F(CloudimgTrust, AnExpiredKeyIsRefused) {
  const auto expired =
      home_.make_key({.user_id = "Old <old@example.com>", .expires = "2030-01-01"});
  sign(expired);
  world_.write("keyring.gpg", home_.export_keys({expired}));
  world_.clock.set(*base::parse_stamp("Thu, 01 Jan 2032 00:00:00 +0000"));
  expect_untrusted(source_, "expired");
}

}  // namespace

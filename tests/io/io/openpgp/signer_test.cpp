#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/openpgp/openpgp.h"
#include "tests/support/gpg_home.h"

namespace {

using std::string;
using testing::HasSubstr;
using testing::Not;

constexpr const char* index_text = "{\n \"format\": \"index:1.0\"\n}\n";

class SignerTest : public testing::Test {
 protected:
  string refusal(const string& key) const {
    try {
      const io::Signer signer(key, clock);
      static_cast<void>(signer.clearsign(index_text));
      return {};
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Errc::failed);
      return error.what();
    }
  }

  string keyring_file(const io::Signer& signer) const {
    auto name = home.path() + "/published.gpg";
    auto file = base::open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(signer.export_key(false));
    file.close();
    return name;
  }

  void configure(const string& lines) const {
    auto file = base::open_file(home.path() + "/gpg.conf", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    file.write(lines);
    file.close();
  }

  support::GpgHome home;
  base::SystemClock clock;
};

TEST_F(SignerTest, WhatItSignsGpgvAndWeAccept) {
  for (const char* algorithm : {"ed25519", "rsa2048"}) {
    const auto key = home.make_key({.user_id = algorithm, .algorithm = algorithm});
    const io::Signer signer(key, clock);
    EXPECT_EQ(signer.fingerprint(), key);
    EXPECT_FALSE(signer.expires());
    const auto file = keyring_file(signer);
    const auto message = signer.clearsign(index_text);
    const auto gpgv = support::run_gpgv(file, message);
    EXPECT_EQ(gpgv.status, 0) << gpgv.error;
    EXPECT_EQ(gpgv.output, index_text);
    const auto signature = signer.sign_detached(index_text);
    EXPECT_EQ(support::run_gpgv_detached(file, index_text, signature).status, 0);
    EXPECT_NE(support::run_gpgv_detached(file, "{}", signature).status, 0);
    const io::Verifier verifier(io::Keyring::load(file), clock);
    EXPECT_EQ(verifier.verify_clearsigned(message, "x").text, index_text);
    EXPECT_EQ(verifier.verify_detached(index_text, signature, "x").primary_fingerprint, key);
    EXPECT_THAT(message, testing::StartsWith("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA"));
    EXPECT_EQ(base::split(message, '\n')[2], "");
  }
}

TEST_F(SignerTest, SignsWithTheNewestSubkey) {
  const auto key = home.make_key({.signing_subkey = true});
  const io::Signer signer(key, clock);
  const io::Verifier verifier(io::Keyring::from_bytes(signer.export_key(true), "x"), clock);
  const auto signature = verifier.verify_clearsigned(signer.clearsign(index_text), "x").signature;
  EXPECT_EQ(signature.primary_fingerprint, key);
  EXPECT_NE(signature.fingerprint, key);
  EXPECT_EQ(signer.fingerprint(), key);
}

TEST_F(SignerTest, ChoosesTheKeyAsAsked) {
  const auto first = home.make_key({.user_id = "First <first@example.com>"});
  const auto second = home.make_key({.user_id = "Second <second@example.com>"});
  const auto chosen = [&](const string& key) { return io::Signer(key, clock).fingerprint(); };
  EXPECT_EQ(chosen(""), first);
  EXPECT_EQ(chosen(second), second);
  EXPECT_EQ(chosen(second.substr(24)), second);
  EXPECT_EQ(chosen("0x" + second.substr(24)), second);
  EXPECT_EQ(chosen("second@example.com"), second);
  configure("default-key " + second + "\n");
  EXPECT_EQ(chosen(""), second);
  ::setenv("SS_GPG_DEFAULT_KEY", first.c_str(), 1);
  EXPECT_EQ(chosen(""), first);
  EXPECT_EQ(chosen("Second"), second);
  ::setenv("SS_GPG_DEFAULT_KEY", "nobody@example.com", 1);
  EXPECT_THAT(refusal(""), HasSubstr("'nobody@example.com': no secret key of that name"));
  ::unsetenv("SS_GPG_DEFAULT_KEY");
  EXPECT_THAT(refusal("example.com"), HasSubstr("is ambiguous: " + first + ", " + second));
}

TEST_F(SignerTest, RefusesKeysThatCannotSign) {
  EXPECT_THAT(refusal(""), HasSubstr("there is no secret key"));
  const auto good = home.make_key({.user_id = "Good"});
  const auto old = home.make_key({.user_id = "Old", .expires = "1y"});
  const auto gone = home.make_key({.user_id = "Gone"});
  home.revoke_key(gone);
  EXPECT_THAT(refusal(old), HasSubstr("expired on Thu, 31 Dec 2020"));
  EXPECT_THAT(refusal(gone), HasSubstr("is revoked"));
  EXPECT_THAT(refusal("0123456789ABCDEF0123456789ABCDEF01234567"), HasSubstr("no secret key"));
  // Never another key instead, even where the home names a default that has ended.
  configure("default-key " + old + "\n");
  EXPECT_THAT(refusal(""), HasSubstr("expired on"));
  const support::GpgHome other;
  other.gpg({"--import"}, home.export_keys({good}));
  ::setenv("GNUPGHOME", home.path().c_str(), 1);
  EXPECT_EQ(refusal(good), "");
  ::setenv("GNUPGHOME", other.path().c_str(), 1);
  EXPECT_THAT(refusal(good), HasSubstr("no secret key"));
}

TEST_F(SignerTest, NeverAsksForAPassphrase) {
  const auto key = home.make_key({.passphrase = "secret words"});
  base::Command forget;
  forget.argv = {"gpgconf", "--homedir", home.path(), "--reload", "gpg-agent"};
  base::run_checked(forget);
  EXPECT_THAT(refusal(key), HasSubstr("wants a passphrase"));
}

TEST_F(SignerTest, RefusesWhatTheHomeConfigurationWouldSpoil) {
  const auto first = home.make_key({.user_id = "First", .algorithm = "rsa2048"});
  const auto second = home.make_key({.user_id = "Second"});
  configure("digest-algo SHA1\n");
  EXPECT_THAT(refusal(first), HasSubstr("asks for the digest SHA1"));
  configure("local-user " + second + "\n");
  EXPECT_THAT(refusal(first), HasSubstr("exactly one signature"));
  configure("comment hello\n");
  EXPECT_EQ(refusal(first), "");
  configure("not-dash-escaped\n");
  EXPECT_THAT(refusal(first), HasSubstr("not fit to publish"));
}

TEST_F(SignerTest, RefusesTextThatClearSigningDoesNotKeep) {
  home.make_key();
  const io::Signer signer("", clock);
  const auto reason = [&](const string& what) {
    try {
      static_cast<void>(signer.clearsign(what));
      return string();
    } catch (const base::Error& error) {
      return string(error.what());
    }
  };
  EXPECT_THAT(reason("a \nb\n"), HasSubstr("line 1: trailing blanks"));
  EXPECT_THAT(reason("a\nb\t"), HasSubstr("trailing blanks"));
  EXPECT_THAT(reason("a\r\n"), HasSubstr("line 1: a carriage return"));
  EXPECT_THAT(reason("a\n" + string(19001, 'x') + "\n"), HasSubstr("line 2: longer than 19,000"));
  EXPECT_EQ(reason(string(19000, 'x') + "\n"), "");
  EXPECT_EQ(reason("- a\nFrom b\n--\n"), "");
  EXPECT_EQ(reason("no newline"), "");
}

TEST_F(SignerTest, TellsWhenTheKeyEnds) {
  const auto key = home.make_key({.expires = "2090-01-01"});
  const io::Signer signer(key, clock);
  ASSERT_TRUE(signer.expires());
  EXPECT_THAT(base::format_stamp(*signer.expires()), HasSubstr("2090"));
}

TEST_F(SignerTest, SignsByTheClockItIsGiven) {
  const auto key = home.make_key({.expires = "2y"});
  support::FakeClock then(*base::parse_stamp("Mon, 01 Jun 2020 12:00:00 +0000"));
  const io::Signer signer(key, then);
  const io::Verifier verifier(io::Keyring::from_bytes(signer.export_key(false), "x"), then);
  for (int day = 0; day < 2; ++day) {
    const auto signature = verifier.verify_clearsigned(signer.clearsign(index_text), "x").signature;
    EXPECT_LE(signature.made - then.now(), std::chrono::seconds(5));
    EXPECT_GE(signature.made, then.now());
    then.advance(std::chrono::hours(24));
  }
  EXPECT_THAT(refusal(key), HasSubstr("expired on"));
}

TEST_F(SignerTest, SignsFromSeveralThreads) {
  const io::Signer signer(home.make_key(), clock);
  const io::Verifier verifier(io::Keyring::from_bytes(signer.export_key(false), "x"), clock);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto body = base::cat(i, "\n");
      EXPECT_EQ(verifier.verify_clearsigned(signer.clearsign(body), "x").text, body);
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
}

TEST_F(SignerTest, SignsAndVerifiesAHundredMegabytes) {
  const string line = base::cat("    ", string(90, 'x'), "\n");
  string big;
  big.reserve(100'000'000 + line.size());
  while (big.size() < 100'000'000) {
    big += line;
  }
  const io::Signer signer(home.make_key(), clock);
  const io::Verifier verifier(io::Keyring::from_bytes(signer.export_key(false), "x"), clock);
  EXPECT_TRUE(verifier.verify_clearsigned(signer.clearsign(big), "x").text == big);
}

}  // namespace

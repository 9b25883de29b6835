#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "meph2/lint/lint.h"
#include "tests/io/meph2/lint/good_streams.h"
#include "tests/support/gpg_home.h"
#include "tests/support/publication_world.h"

namespace lint_test {

namespace {

using testing::Contains;
using testing::Not;

/// A MAAS stream with all its signatures, made by gpg itself.
class SignedStream : public testing::Test {
 protected:
  SignedStream() {
    world_.clock.set(base::SystemClock().now());
    model_.write(world_.path("s"));
    for (const auto& [name, json] : model_.documents) {
      sign(name, io::to_text(json));
    }
    keyring("keyring.gpg", home_.export_keys({key_}));
    keyring("keyring.asc", home_.export_keys({key_}, true));
  }

  std::string at(const std::string& name) const { return world_.path("s/streams/v1/" + name); }

  static std::string signed_name(const std::string& name) {
    return name.substr(0, name.size() - 5) + ".sjson";
  }

  void sign(const std::string& name, const std::string& text) const {
    auto clear = text;
    if (name == "index.json") {
      clear = base::replace_all(clear, ".json\"", ".sjson\"");
    }
    put(signed_name(name), home_.gpg({"--clearsign", "-u", key_}, clear));
    put(name + ".gpg", home_.gpg({"--armor", "--detach-sign", "-u", key_}, text));
  }

  void put(const std::string& name, const std::string& text) const {
    base::replace_file(at(name), text);
  }

  std::string text(const std::string& name) const { return base::read_file(at(name)); }

  void keyring(const std::string& name, const std::string& bytes) const {
    base::replace_file(world_.path("s/" + name), bytes);
  }

  /// The rules that find something, for this consumer.
  std::vector<std::string> found(const std::string& profile = "maas") {
    meph2::LintOptions options;
    options.where = world_.path("s");
    options.profiles = {profile};
    options.keyrings = keyrings_;
    const auto result = meph2::lint(options, world_.context);
    trusted_ = result.trusted;
    std::vector<std::string> rules;
    for (const auto& finding : result.report.findings()) {
      rules.emplace_back(finding.rule->id);
    }
    return rules;
  }

  support::World world_;
  support::GpgHome home_;
  std::string key_ = home_.make_key({.algorithm = "rsa2048"});
  StreamModel model_ = maas_stream();
  std::string index_ = "index.sjson";
  std::string products_ = std::string(ubuntu) + ".sjson";
  std::vector<std::string> keyrings_;
  bool trusted_ = true;
};

TEST_F(SignedStream, IsClean) {
  for (const char* profile : {"maas", "maas-classic", "simplestreams"}) {
    EXPECT_THAT(found(profile), testing::IsEmpty()) << profile;
    EXPECT_TRUE(trusted_);
  }
}

TEST_F(SignedStream, ArmorInAnotherForm) {
  const auto good = text(products_);
  const auto twice = base::replace_all(good, "Hash: ", "Hash: SHA512\nHash: ");
  const auto spoilt = {"\xEF\xBB\xBF" + good,
                       "\n" + good,
                       good + "more\n",
                       twice,
                       base::replace_all(good, "\n", "\r\n"),
                       base::replace_all(good, "Hash: SHA512\n", ""),
                       good.substr(0, good.size() / 2)};
  for (const auto& message : spoilt) {
    put(products_, message);
    EXPECT_THAT(found(), Contains("armor-form")) << message.substr(0, 80);
    EXPECT_FALSE(trusted_);
  }
}

TEST_F(SignedStream, TwoSigners) {
  const auto other = home_.make_key({.user_id = "Other <other@example.com>"});
  put(products_,
      home_.gpg({"--clearsign", "-u", key_, "-u", other}, text(std::string(ubuntu) + ".json")));
  for (const char* profile : {"maas", "maas-classic", "simplestreams"}) {
    EXPECT_THAT(found(profile), Contains("one-signer"));
  }
}

TEST_F(SignedStream, AnotherKeyIsNotTrusted) {
  const auto other = home_.make_key({.user_id = "Other <other@example.com>"});
  put(products_, home_.gpg({"--clearsign", "-u", other}, text(std::string(ubuntu) + ".json")));
  EXPECT_THAT(found(), Contains("signature-bad"));
  EXPECT_FALSE(trusted_);
}

TEST_F(SignedStream, EditedAfterSigning) {
  put(products_, base::replace_all(text(products_), "noble", "jammy"));
  EXPECT_THAT(found(), testing::IsSupersetOf({"signature-bad", "signed-text-differs"}));
  put(products_, text(std::string(centos) + ".sjson"));
  EXPECT_THAT(found(), Contains("signed-text-differs"));
  EXPECT_TRUE(trusted_);
}

TEST_F(SignedStream, DetachedSignatureOfAnotherText) {
  put("index.json.gpg", text(std::string(ubuntu) + ".json.gpg"));
  EXPECT_THAT(found("simplestreams"), Contains("signature-bad"));
  EXPECT_FALSE(trusted_);
}

TEST_F(SignedStream, SignatureMissing) {
  base::unlink_at(AT_FDCWD, at("index.json.gpg"));
  EXPECT_THAT(found(), Contains("signature-missing"));
}

TEST_F(SignedStream, SignedIndexWithPlainPaths) {
  put(index_, home_.gpg({"--clearsign", "-u", key_}, text("index.json")));
  for (const char* profile : {"maas", "maas-classic"}) {
    EXPECT_THAT(found(profile), Contains("entry-path-suffix"));
  }
}

TEST_F(SignedStream, OnlyTheSignedIndex) {
  base::unlink_at(AT_FDCWD, at("index.json"));
  EXPECT_THAT(found("lxd"), Contains("index-plain"));
  EXPECT_THAT(found("maas"), Not(Contains("index-missing")));
}

TEST_F(SignedStream, KeyringsInAnotherForm) {
  EXPECT_THAT(found("juju"), Not(Contains("keyring-armored")));
  EXPECT_THAT(found("juju"), Not(Contains("key-algorithm")));
  base::unlink_at(AT_FDCWD, world_.path("s/keyring.asc"));
  EXPECT_THAT(found("juju"), Contains("keyring-armored"));
  keyring("keyring.gpg", home_.export_keys({key_}, true));
  EXPECT_THAT(found("maas"), Contains("keyring-form"));
  keyring("keyring.gpg", "no keyring at all");
  EXPECT_THAT(found("maas"), Contains("keyring-form"));
  keyring("keyring.gpg", home_.export_keys({home_.make_key({.user_id = "Ed <ed@example.com>"})}));
  EXPECT_THAT(found("juju"), Contains("key-algorithm"));
}

TEST_F(SignedStream, WithoutAKeyringTheFormIsLookedAt) {
  base::unlink_at(AT_FDCWD, world_.path("s/keyring.asc"));
  base::unlink_at(AT_FDCWD, world_.path("s/keyring.gpg"));
  EXPECT_THAT(found(), testing::IsEmpty());
  put(products_, text(products_) + "more\n");
  EXPECT_THAT(found(), Contains("armor-form"));
}

}  // namespace

}  // namespace lint_test

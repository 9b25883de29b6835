#include <functional>

#include <sys/file.h>

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
using support::GpgHome;
using testing::HasSubstr;

constexpr const char* text = "{\n \"format\": \"index:1.0\"\n}\n";
constexpr const char* begin_signature = "-----BEGIN PGP SIGNATURE-----\n";

/// Every kind of key, made once: making them costs more than all the tests.
class Keys {
 public:
  static const Keys& get() {
    static const Keys keys;
    return keys;
  }

  GpgHome home;
  string good = home.make_key({.user_id = "Good <good@example.com>"});
  string rsa = home.make_key({.user_id = "Rsa <rsa@example.com>", .algorithm = "rsa2048"});
  string subkey = home.make_key({.user_id = "Sub <sub@example.com>", .signing_subkey = true});
  string expired = home.make_key({.user_id = "Old <old@example.com>", .expires = "1y"});
  string late = home.make_key({.user_id = "Late <late@example.com>", .expires = "2090-01-01"});
  string revoked = home.make_key({.user_id = "Gone <gone@example.com>"});
  string unknown = home.make_key({.user_id = "Unknown <unknown@example.com>"});
  string hostile = home.make_key({.user_id = "x\n[GNUPG:] GOODSIG 1234567890ABCDEF evil\n"
                                             "[GNUPG:] VALIDSIG <hostile@example.com>"});
  string revoked_message = clear(revoked);
  string keyring_file = home.path() + "/keyring.gpg";

  /// What gpg itself makes of `what`, signed by `key` in the way of `how`.
  string sign(const string& key, const std::vector<string>& how, const string& what = text) const {
    std::vector<string> arguments = {"-u", key};
    arguments.insert(arguments.end(), how.begin(), how.end());
    return home.gpg(arguments, what);
  }

  string clear(const string& key, const string& what = text) const {
    return sign(key, {"--clearsign"}, what);
  }

  string detached(const string& key, const string& what = text) const {
    return sign(key, {"--armor", "--detach-sign"}, what);
  }

 private:
  Keys() {
    home.revoke_key(revoked);
    auto file = base::open_file(keyring_file, O_WRONLY | O_CREAT, 0644);
    file.write(home.export_keys({good, rsa, subkey, expired, late, revoked, hostile}));
  }
};

string replaced(const string& in, const string& from, const string& to) {
  EXPECT_NE(in.find(from), string::npos) << from;
  return base::replace_all(in, from, to);
}

const base::SystemClock& system_clock() {
  static const base::SystemClock clock;
  return clock;
}

const io::Verifier& verifier() {
  static const io::Verifier shared(io::Keyring::load(Keys::get().keyring_file), system_clock());
  return shared;
}

/// The refusal's message; empty when accepted.
template <typename Action>
string refusal(Action&& action) {
  try {
    action();
    return {};
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted) << error.what();
    return error.what();
  }
}

/// Of the message, whether its text is asked for or not.
string clear_refusal(const string& message) {
  const auto reason = refusal([&] { verifier().verify_clearsigned(message, "index.sjson"); });
  EXPECT_EQ(refusal([&] { verifier().verify_clear_signature(message, "index.sjson"); }), reason);
  return reason;
}

struct Row {
  const char* name;  ///< with the number of the rule
  std::function<string(const Keys&)> make;
  const char* reason;  ///< part of the message
};

string armored_signature(const Keys& keys, const string& bytes) {
  const auto block = keys.home.gpg({"--enarmor"}, bytes);
  return begin_signature + replaced(block.substr(block.find("\n\n") + 1),
                                    "-----END PGP ARMORED FILE-----",
                                    "-----END PGP SIGNATURE-----");
}

/// A hostile peer may add packets by hand: the armor of two signatures in one block.
string armor_of_two(const Keys& keys) {
  const auto first = keys.sign(keys.good, {"--textmode", "--detach-sign"});
  const auto message = keys.clear(keys.good);
  return message.substr(0, message.find(begin_signature)) + armored_signature(keys, first + first);
}

/// Anybody can add notations to the part of a signature that is not signed: here one that tries to
/// write lines of gpg's status (CVE-2022-34903).
string with_hostile_notation(const Keys& keys, const string& key) {
  const auto message = keys.clear(key);
  const auto split_at = message.find(begin_signature);
  auto packet = keys.home.gpg({"--dearmor"}, message.substr(split_at));
  const string value = base::cat("x\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG ", keys.good.substr(24),
                                 " x\n[GNUPG:] VALIDSIG ", keys.good,
                                 " 2020-01-01 1577836800 0 4 0 22 8 01 ", keys.good, "\n");
  const auto byte = [](std::size_t number) { return static_cast<char>(number & 0xFFU); };
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(packet.at(at)); };
  string notation = string("\x14\x80\0\0\0", 5) + byte(0) + byte(3) + byte(value.size() >> 8U) +
                    byte(value.size()) + "a@b" + value;
  notation = string("\xFF\0\0", 3) + byte(notation.size() >> 8U) + byte(notation.size()) + notation;
  const std::size_t header = (octet(0) & 3U) == 0 ? 2 : 3;
  const std::size_t hashed = octet(header + 4) * 256U + octet(header + 5);
  const std::size_t unhashed_at = header + 6 + hashed;
  const std::size_t unhashed = octet(unhashed_at) * 256U + octet(unhashed_at + 1) + notation.size();
  const auto body = packet.substr(header, 6 + hashed) + byte(unhashed >> 8U) + byte(unhashed) +
                    notation + packet.substr(unhashed_at + 2);
  packet = string("\xC2\xFF\0\0", 4) + byte(body.size() >> 8U) + byte(body.size()) + body;
  return message.substr(0, split_at) + armored_signature(keys, packet);
}

const std::vector<Row>& refused_rows() {
  static const std::vector<Row> rows = {
      {"F2_expired_key",
       [](const Keys& k) {
         return k.sign(k.expired, {"--faked-system-time=20200601T000000", "--clearsign"});
       },
       "key expired"},
      {"F3_revoked_key", [](const Keys& k) { return k.revoked_message; }, "key revoked"},
      {"F4_unknown_key", [](const Keys& k) { return k.clear(k.unknown); }, "not in keyring"},
      {"F5_good_and_unknown",
       [](const Keys& k) {
         return k.sign(k.good, {"-u", k.unknown, "--clearsign"});
       },
       "2 signatures where there should be one"},
      {"F5_two_good",
       [](const Keys& k) {
         return k.sign(k.good, {"-u", k.rsa, "--clearsign"});
       },
       "not exactly one known digest"},
      {"F5_two_in_one_block", armor_of_two, "2 signatures where there should be one"},
      {"F6_sha1",
       [](const Keys& k) {
         return k.sign(k.rsa, {"--digest-algo", "SHA1", "--clearsign"});
       },
       "weak digest: SHA1"},
      {"F6_sha1_behind_another_header",
       [](const Keys& k) {
         return replaced(k.sign(k.rsa, {"--digest-algo", "SHA1", "--clearsign"}), "Hash: SHA1",
                         "Hash: SHA256");
       },
       "weak digest: SHA-1"},
      {"F6_md5_header",
       [](const Keys& k) { return replaced(k.clear(k.good), "Hash: SHA256", "Hash: MD5"); },
       "weak digest: MD5"},
      {"F7_body_altered",
       [](const Keys& k) { return replaced(k.clear(k.good), "index:1.0", "index:1.1"); },
       "bad signature"},
      {"F7_line_added",
       [](const Keys& k) { return replaced(k.clear(k.good), "\n}\n", "\n}\n{}\n"); },
       "bad signature"},
      {"F8_text_before", [](const Keys& k) { return "{}\n" + k.clear(k.good); },
       "text before the signed message"},
      {"F8_text_after", [](const Keys& k) { return k.clear(k.good) + "{}\n"; },
       "text after the signature"},
      {"F8_newline_after", [](const Keys& k) { return k.clear(k.good) + "\n"; },
       "text after the signature"},
      {"F9_two_messages", [](const Keys& k) { return k.clear(k.good) + k.clear(k.good); },
       "second signature or message"},
      {"F9_unsigned_begin_after",
       [](const Keys& k) {
         return k.clear(k.good) + "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}\n";
       },
       "second signature or message"},
      {"F9_empty_signature_first",
       [](const Keys& k) {
         return replaced(
             k.clear(k.good), begin_signature,
             string(begin_signature) + "\n-----END PGP SIGNATURE-----\n" + begin_signature);
       },
       "the armored data is damaged"},
      {"F9_message_inside_message",
       [](const Keys& k) {
         return replaced(k.clear(k.good), "\n\n{", "\n\n-----BEGIN PGP SIGNED MESSAGE-----\n{");
       },
       "a second signed message"},
      {"F10_binary_inline", [](const Keys& k) { return k.sign(k.good, {"--sign"}); },
       "an inline OpenPGP message"},
      {"F10_armored_inline",
       [](const Keys& k) {
         return k.sign(k.good, {"--armor", "--sign"});
       },
       "an inline OpenPGP message"},
      {"F11_detached_as_message", [](const Keys& k) { return k.detached(k.good); }, "not signed"},
      {"F12_second_hash",
       [](const Keys& k) {
         return replaced(k.clear(k.good), "Hash: SHA256\n", "Hash: SHA256\nHash: SHA512\n");
       },
       "something other than the empty line"},
      {"F12_blank_separator",
       [](const Keys& k) {
         return replaced(k.clear(k.good), "Hash: SHA256\n\n", "Hash: SHA256\n \n");
       },
       "something other than the empty line"},
      {"F12_crlf", [](const Keys& k) { return replaced(k.clear(k.good), "\n", "\r\n"); }, "CR LF"},
      {"F12_crlf_in_the_body",
       [](const Keys& k) { return replaced(k.clear(k.good), "{\n", "{\r\n"); },
       "a carriage return"},
      {"F12_blanks_after_begin",
       [](const Keys& k) { return replaced(k.clear(k.good), "MESSAGE-----\n", "MESSAGE----- \n"); },
       "text after the BEGIN line"},
      {"F12_blanks_after_end",
       [](const Keys& k) {
         return replaced(k.clear(k.good), "-----END PGP SIGNATURE-----",
                         "-----END PGP SIGNATURE----- ");
       },
       "not a line of armored data"},
      {"F12_blanks_in_the_body",
       [](const Keys& k) { return replaced(k.clear(k.good), "{\n", "{  \n"); }, "trailing blanks"},
      {"F12_all_lines_escaped",
       [](const Keys& k) {
         return replaced(replaced(k.clear(k.good), "\n{\n", "\n- {\n"), "\n}\n", "\n- }\n");
       },
       "dash-escaped without need"},
      {"F12_leading_blank_line", [](const Keys& k) { return "\n" + k.clear(k.good); },
       "text before the signed message"},
      {"F12_line_too_long",
       [](const Keys& k) { return k.clear(k.good, string(19001, 'x') + "\n"); },
       "longer than 19,000 bytes"},
      {"F14_comment_header",
       [](const Keys& k) {
         return replaced(k.clear(k.good), "Hash: SHA256", "Comment: x\nHash: SHA256");
       },
       "not a \"Hash:\" header"},
      {"F14_not_dash_escaped",
       [](const Keys& k) {
         return k.sign(k.good, {"--not-dash-escaped", "--clearsign"});
       },
       "something other than the empty line"},
      {"F14_no_hash_header",
       [](const Keys& k) { return replaced(k.clear(k.good), "Hash: SHA256\n", ""); },
       "not a \"Hash:\" header"},
      {"F14_unescaped_dash",
       [](const Keys& k) { return replaced(k.clear(k.good, "- a\n"), "- - a", "-a"); },
       "unescaped dash"},
      {"F15_text_after_begin_signature",
       [](const Keys& k) {
         return replaced(k.clear(k.good), begin_signature, "-----BEGIN PGP SIGNATURE-----x\n");
       },
       "text on the line of BEGIN PGP SIGNATURE"},
      {"F16_form_feed", [](const Keys& k) { return replaced(k.clear(k.good), "{\n", "{\f\n"); },
       "a control character"},
      {"F16_nul",
       [](const Keys& k) { return replaced(k.clear(k.good), "{\n", string("{\0\n", 3)); },
       "a control character"},
      {"F16_line_separator",
       [](const Keys& k) { return replaced(k.clear(k.good), "{\n", "{\xE2\x80\xA8\n"); },
       "bad signature"},
      {"F17_byte_order_mark", [](const Keys& k) { return "\xEF\xBB\xBF" + k.clear(k.good); },
       "byte order mark"},
      {"F17_empty", [](const Keys&) { return string(); }, "empty, not signed"},
      {"F17_plain_json", [](const Keys&) { return string(text); }, "not signed"},
      {"F17_nuls", [](const Keys&) { return string(512, '\0'); }, "not signed"},
      {"F19_hostile_user_id_altered",
       [](const Keys& k) { return replaced(k.clear(k.hostile), "index:1.0", "index:1.1"); },
       "bad signature"},
      {"F19_hostile_notation", [](const Keys& k) { return with_hostile_notation(k, k.unknown); },
       "not in keyring"},
      {"F19_hostile_notation_and_altered_body",
       [](const Keys& k) {
         return replaced(with_hostile_notation(k, k.good), "index:1.0", "index:1.1");
       },
       "bad signature"},
      {"F22_future",
       [](const Keys& k) {
         return k.sign(k.good, {"--faked-system-time=20400101T000000", "--clearsign"});
       },
       "dated in the future"},
      {"signature_expired",
       [](const Keys& k) {
         return k.sign(k.good, {"--faked-system-time=20210101T000000", "--default-sig-expire", "1d",
                                "--clearsign"});
       },
       "signature expired"},
      {"damaged_armor",
       [](const Keys& k) {
         auto message = k.clear(k.good);
         auto& digit = message.at(message.find(begin_signature) + 40);
         digit = digit == 'A' ? 'B' : 'A';
         return message;
       },
       "the armored data is damaged"},
      {"binary_signature_of_the_text",
       [](const Keys& k) {
         const auto message = k.clear(k.good);
         return message.substr(0, message.find(begin_signature)) + k.detached(k.good);
       },
       "does not sign a document like this"},
  };
  return rows;
}

// One test, not one per row: every test is a process of its own, and the keys are made anew in
// each.
TEST(Verifier, RefusesEveryRowAndSaysWhy) {
  for (const auto& row : refused_rows()) {
    SCOPED_TRACE(row.name);
    const auto reason = clear_refusal(row.make(Keys::get()));
    EXPECT_THAT(reason, HasSubstr(row.reason));
    EXPECT_THAT(reason, HasSubstr("verify index.sjson: "));
    EXPECT_EQ(reason, base::escape_control(reason));
  }
}

TEST(Verifier, AcceptsGoodMessages) {
  const auto& keys = Keys::get();
  for (const auto& key : {keys.good, keys.rsa, keys.late, keys.hostile}) {
    const auto verified = verifier().verify_clearsigned(keys.clear(key), "index.sjson");
    EXPECT_EQ(verified.text, text);
    EXPECT_EQ(verified.signature.fingerprint, key);
    EXPECT_EQ(verified.signature.primary_fingerprint, key);
    EXPECT_EQ(verified.signature.key_expires.has_value(), key == keys.late);
    EXPECT_EQ(verifier().verify_clear_signature(keys.clear(key), "x").fingerprint, key);
  }
}

TEST(Verifier, NamesPrimaryAndSubkeyF23) {
  const auto& keys = Keys::get();
  const auto verified = verifier().verify_clearsigned(keys.clear(keys.subkey), "x");
  EXPECT_EQ(verified.signature.primary_fingerprint, keys.subkey);
  EXPECT_NE(verified.signature.fingerprint, keys.subkey);
  EXPECT_EQ(verified.signature.fingerprint.size(), 40U);
}

TEST(Verifier, IgnoresNotationsThatNobodySignedF19) {
  const auto& keys = Keys::get();
  const auto verified = verifier().verify_clearsigned(with_hostile_notation(keys, keys.rsa), "x");
  EXPECT_EQ(verified.signature.fingerprint, keys.rsa);
}

TEST(Verifier, HandsOutTheTextWithoutDashEscapes) {
  const auto& keys = Keys::get();
  const string dashed = "- a\n--b\n-----BEGIN PGP SIGNATURE-----\nFrom c\n";
  const auto verified = verifier().verify_clearsigned(keys.clear(keys.good, dashed), "x");
  EXPECT_EQ(verified.text, dashed);
}

TEST(Verifier, RefusesEveryTruncation) {
  const auto& keys = Keys::get();
  const auto message = keys.clear(keys.good);
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_NE(clear_refusal(message.substr(0, size)), "") << size;
  }
}

TEST(Verifier, DecidesExpiryAndFutureByTheClockItIsGiven) {
  const auto& keys = Keys::get();
  const auto at = [&](const char* day) { return *base::parse_stamp(day); };
  support::FakeClock clock(at("Mon, 01 Jun 2020 00:00:00 +0000"));
  const io::Verifier then(io::Keyring::load(keys.keyring_file), clock);
  const auto message =
      keys.sign(keys.expired, {"--faked-system-time=20200601T000200", "--clearsign"});
  EXPECT_EQ(then.verify_clearsigned(message, "x").signature.fingerprint, keys.expired);
  clock.set(at("Sun, 31 May 2020 23:50:00 +0000"));
  EXPECT_THAT(refusal([&] { then.verify_clearsigned(message, "x"); }), HasSubstr("future"));
  clock.set(at("Fri, 01 Jan 2021 00:00:00 +0000"));
  EXPECT_THAT(refusal([&] { then.verify_clearsigned(message, "x"); }), HasSubstr("key expired"));
}

TEST(Verifier, RemovesHomesThatKilledProcessesLeft) {
  const auto home = [](const char* age, bool locked) {
    base::TempDir directory("mgpgv-", "/tmp");
    auto ring = base::open_file(directory.path() + "/pubring.gpg", O_WRONLY | O_CREAT, 0600);
    if (locked) {
      EXPECT_EQ(::flock(ring.fd(), LOCK_SH), 0);
    } else {
      ring = base::File();
    }
    base::Command touch;
    touch.argv = {"touch", "-d", age, directory.path()};
    base::run_checked(touch);
    return std::pair(std::move(directory), std::move(ring));
  };
  const auto left = home("1 hour ago", false);
  const auto in_use = home("1 hour ago", true);
  const auto starting = home("now", false);
  const io::Verifier any(io::Keyring::load(Keys::get().keyring_file), system_clock());
  EXPECT_FALSE(base::exists_at(AT_FDCWD, left.first.path()));
  EXPECT_TRUE(base::exists_at(AT_FDCWD, in_use.first.path()));
  EXPECT_TRUE(base::exists_at(AT_FDCWD, starting.first.path()));
}

TEST(Verifier, ChecksDetachedSignatures) {
  const auto& keys = Keys::get();
  const auto signature = keys.detached(keys.rsa);
  EXPECT_EQ(verifier().verify_detached(text, signature, "x").fingerprint, keys.rsa);
  const auto binary = keys.sign(keys.good, {"--detach-sign"});
  EXPECT_EQ(verifier().verify_detached(text, binary, "x").fingerprint, keys.good);
  const auto refuse = [&](std::string_view data, const string& block) {
    return refusal([&] { verifier().verify_detached(data, block, "index.json.gpg"); });
  };
  EXPECT_THAT(refuse("{}\n", signature), HasSubstr("bad signature"));
  EXPECT_THAT(refuse("", signature), HasSubstr("bad signature"));
  EXPECT_THAT(refuse(text, ""), HasSubstr("empty"));
  EXPECT_THAT(refuse(text, keys.clear(keys.good)), HasSubstr("not a detached signature"));
  EXPECT_THAT(refuse(text, keys.sign(keys.good, {"--sign"})), HasSubstr("no OpenPGP signature"));
  EXPECT_THAT(refuse(text, keys.sign(keys.good, {"--armor", "--sign"})),
              HasSubstr("not a detached signature"));
  EXPECT_THAT(refuse(text, signature + signature), HasSubstr("second signature"));
  EXPECT_THAT(refuse(text, binary + binary), HasSubstr("2 signatures"));
  EXPECT_THAT(refuse(text, signature + "x"), HasSubstr("text after"));
  EXPECT_THAT(refuse(text, "x\n" + signature), HasSubstr("not a detached signature"));
  EXPECT_THAT(refuse(text, keys.detached(keys.unknown)), HasSubstr("not in keyring"));
  const auto sha1 = keys.sign(keys.rsa, {"--digest-algo", "SHA1", "--armor", "--detach-sign"});
  EXPECT_THAT(refuse(text, sha1), HasSubstr("weak digest"));
  const auto expired =
      keys.sign(keys.expired, {"--faked-system-time=20200601T000000", "--armor", "--detach-sign"});
  EXPECT_THAT(refuse(text, expired), HasSubstr("key expired"));
}

/// As package archives are signed.
string by_both(const string& first, const string& second, const std::vector<string>& how) {
  std::vector<string> arguments = {"-u", second};
  arguments.insert(arguments.end(), how.begin(), how.end());
  return Keys::get().sign(first, arguments);
}

string refusal_by_several(const string& message) {
  const io::Verifier several(io::Keyring::load(Keys::get().keyring_file), system_clock(),
                             io::Signers::any);
  return refusal([&] { EXPECT_EQ(several.verify_clearsigned(message, "InRelease").text, text); });
}

TEST(Verifier, OfSeveralSignersOneGoodOneIsEnoughWhereThatIsTheRule) {
  const auto& keys = Keys::get();
  for (const auto& other : {keys.rsa, keys.unknown}) {
    EXPECT_EQ(refusal_by_several(by_both(keys.good, other, {"--clearsign"})), "");
    EXPECT_EQ(refusal_by_several(by_both(other, keys.good, {"--clearsign"})), "");
  }
  EXPECT_THAT(clear_refusal(by_both(keys.good, keys.unknown, {"--clearsign"})),
              HasSubstr("2 signatures where there should be one"));
  EXPECT_EQ(refusal_by_several(keys.clear(keys.good)), "");
  EXPECT_THAT(refusal_by_several(keys.clear(keys.unknown)), HasSubstr("not in keyring"));
  EXPECT_THAT(refusal_by_several(keys.revoked_message), HasSubstr("revoked"));
  const auto both = by_both(keys.good, keys.rsa, {"--clearsign"});
  EXPECT_THAT(refusal_by_several(replaced(both, "index:1.0", "index:1.1")),
              HasSubstr("bad signature"));
  const auto detached = by_both(keys.unknown, keys.good, {"--armor", "--detach-sign"});
  const io::Verifier several(io::Keyring::load(keys.keyring_file), system_clock(),
                             io::Signers::any);
  EXPECT_EQ(refusal([&] { several.verify_detached(text, detached, "SHA256SUMS"); }), "");
  EXPECT_THAT(refusal([&] { several.verify_detached("other", detached, "SHA256SUMS"); }),
              HasSubstr("bad signature"));
}

TEST(Verifier, ABadSignatureBesideAGoodOneIsRefusedWhateverTheRule) {
  const auto& keys = Keys::get();
  const auto message = keys.clear(keys.good);
  const auto good = keys.sign(keys.good, {"--textmode", "--detach-sign"});
  const auto bad = keys.sign(keys.rsa, {"--textmode", "--detach-sign"}, "something else\n");
  for (const auto& packets : {good + bad, bad + good}) {
    EXPECT_THAT(refusal_by_several(message.substr(0, message.find(begin_signature)) +
                                   armored_signature(keys, packets)),
                HasSubstr("bad signature"));
  }
}

}  // namespace

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/openpgp/openpgp.h"
#include "tests/support/gpg_home.h"
#include "tests/support/refused.h"

namespace {

using testing::HasSubstr;

class KeyringTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    home = std::make_unique<support::GpgHome>();
    first = home->make_key({.user_id = "First <first@example.com>"});
    second = home->make_key({.user_id = "Second <second@example.com>", .algorithm = "rsa2048"});
    binary = home->export_keys({});
  }

  static void TearDownTestSuite() { home.reset(); }

  static std::string refusal(std::string bytes) {
    try {
      io::Keyring::from_bytes(std::move(bytes), "ring.gpg");
      return {};
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Errc::untrusted);
      return error.what();
    }
  }

  static inline std::unique_ptr<support::GpgHome> home;
  static inline std::string first;
  static inline std::string second;
  static inline std::string binary;
};

TEST_F(KeyringTest, TakesBinaryAndArmoredExports) {
  EXPECT_EQ(io::Keyring::from_bytes(binary, "x").binary(), binary);
  const auto armored = home->export_keys({}, true);
  EXPECT_EQ(io::Keyring::from_bytes(armored, "x").binary(), binary);
  const auto one = home->export_keys({first}, true);
  const auto other = home->export_keys({second}, true);
  EXPECT_EQ(io::Keyring::from_bytes("Our keys:\n" + one + "\nand\n" + other, "x").binary(), binary);
  EXPECT_EQ(io::Keyring::from_bytes(base::replace_all(armored, "\n", "\r\n"), "x").binary(),
            binary);
}

TEST_F(KeyringTest, TakesKeyboxFiles) {
  const auto keyring = io::Keyring::load(home->path() + "/pubring.kbx");
  EXPECT_EQ(keyring.name(), home->path() + "/pubring.kbx");
  const base::SystemClock clock;
  const io::Verifier verifier(keyring, clock);
  for (const auto& key : {first, second}) {
    const auto message = home->gpg({"-u", key, "--clearsign"}, "a\n");
    EXPECT_EQ(verifier.verify_clearsigned(message, "x").signature.fingerprint, key);
  }
  // gpgv reads what we made of it.
  const auto file_name = home->path() + "/from-keybox.gpg";
  auto file = base::open_file(file_name, O_WRONLY | O_CREAT, 0644);
  file.write(keyring.binary());
  file.close();
  EXPECT_EQ(support::run_gpgv(file_name, home->gpg({"-u", first, "--clearsign"}, "a\n")).status, 0);
}

TEST_F(KeyringTest, RefusesWhatIsNoKeyring) {
  EXPECT_THAT(refusal(""), HasSubstr("keyring ring.gpg: an empty keyring"));
  EXPECT_THAT(refusal("hello\n"), HasSubstr("no public key"));
  EXPECT_THAT(refusal(std::string(64, '\0')), HasSubstr("no public key"));
  EXPECT_THAT(refusal(std::string(64, '\xFF')), HasSubstr("not a keyring"));
  EXPECT_THAT(refusal(binary + "x"), HasSubstr("not a keyring"));
  EXPECT_THAT(refusal(home->gpg({"-u", first, "--detach-sign"}, "a")), HasSubstr("no public key"));
  const auto secret = home->gpg({"--passphrase", "", "--export-secret-keys", first});
  EXPECT_THAT(refusal(secret), HasSubstr("secret key"));
  const auto armored = home->gpg({"--passphrase", "", "--armor", "--export-secret-keys", first});
  EXPECT_THAT(refusal(armored), HasSubstr("secret key"));
}

TEST_F(KeyringTest, RefusesEveryTruncation) {
  // A cut between two packets leaves a shorter keyring, which is one.
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < binary.size(); ++size) {
    accepted += refusal(binary.substr(0, size)).empty() ? 1U : 0U;
  }
  EXPECT_EQ(accepted, 5U);  // two keys of three packets each, the whole not counted
  const auto armored = home->export_keys({}, true);
  for (std::size_t size = 0; size + 1 < armored.size(); ++size) {
    EXPECT_NE(refusal(armored.substr(0, size)), "") << size;
  }
  const auto keybox = base::read_file(home->path() + "/pubring.kbx");
  for (std::size_t size = 1; size < keybox.size(); size += 7) {
    const auto reason = refusal(keybox.substr(0, size));
    EXPECT_NE(reason, "") << size;
  }
}

TEST_F(KeyringTest, NamesAFileThatCannotBeRead) {
  EXPECT_THAT(
      support::refused(base::Errc::untrusted, [&] { io::Keyring::load("/nonexistent/ring.gpg"); }),
      HasSubstr("/nonexistent/ring.gpg"));
}

}  // namespace

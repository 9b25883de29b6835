#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/openpgp/engine.h"
#include "io/openpgp/openpgp.h"
#include "tests/support/gpg_home.h"
#include "tests/support/refused.h"

namespace {

using testing::HasSubstr;

/// F20: whatever the program that is called gpg does, a message is accepted only for what GPGME
/// read from its status.
class HostileGpg : public testing::Test {
 protected:
  HostileGpg() {
    base::make_directories(directory.path() + "/bin");
    write("message", home.gpg({"-u", key, "--clearsign"}, "{}\n"));
    write("ring.gpg", home.export_keys({key}));
  }

  void write(const std::string& name, std::string_view content, mode_t mode = 0644) const {
    auto file =
        base::open_file(base::cat(directory.path(), "/", name), O_WRONLY | O_CREAT | O_TRUNC, mode);
    file.write(content);
    file.close();
  }

  /// GPGME asks gpgconf, once per process, where gpg is; hence the second process.
  std::string verdict_with(const std::string& gpg_script) const {
    write("bin/gpg",
          base::cat("#!/bin/sh\ncase \"$*\" in *--version*) exec ", real, " \"$@\";; esac\n",
                    gpg_script),
          0755);
    write("bin/gpgconf",
          base::cat("#!/bin/sh\ncase \"$*\" in *--list-components*) echo gpg:OpenPGP:",
                    directory.path(), "/bin/gpg;; *) exec ", real, "conf \"$@\";; esac\n"),
          0755);
    base::Command command;
    command.argv = {base::cat(BINARY_DIR, "/io_openpgp_verify"), directory.path() + "/ring.gpg",
                    directory.path() + "/message"};
    command.env = {{"PATH", base::cat(directory.path(), "/bin:", std::getenv("PATH"))}};
    command.capture_output = true;
    command.capture_error = true;
    return base::run(command).output;
  }

  support::GpgHome home;
  std::string key = home.make_key();
  base::TempDir directory{"hostile-gpg-"};
  std::string real = base::find_program("gpg").value();
};

TEST_F(HostileGpg, TheRealOneThroughTheSameDoorIsAccepted) {
  EXPECT_EQ(verdict_with(base::cat("exec ", real, " \"$@\"\n")), "accepted " + key + "\n");
}

TEST_F(HostileGpg, SilenceAndExitZeroIsNoVerdictF20) {
  EXPECT_THAT(verdict_with("exit 0\n"), HasSubstr("refused "));
  EXPECT_THAT(verdict_with("cat\nexit 0\n"), HasSubstr("refused "));
  EXPECT_THAT(verdict_with("echo '{}'\nexit 0\n"), HasSubstr("refused "));
}

TEST_F(HostileGpg, AKilledOneIsNoVerdictF20) {
  EXPECT_THAT(verdict_with("kill -9 $$\n"), HasSubstr("refused "));
  EXPECT_THAT(verdict_with("echo '{}'\nkill -9 $$\n"), HasSubstr("refused "));
}

TEST_F(HostileGpg, AFloodOfComplaintsHarmsNothingF20) {
  EXPECT_EQ(verdict_with(base::cat("head -c 10000000 /dev/zero >&2\nexec ", real, " \"$@\"\n")),
            "accepted " + key + "\n");
  EXPECT_THAT(verdict_with("yes '[GNUPG:] GOODSIG x' | head -c 10000000 >&2\nexit 0\n"),
              HasSubstr("refused "));
}

TEST_F(HostileGpg, AHangingOneIsGivenUpF20) {
  write("hanging",
        base::cat("#!/bin/sh\ncase \"$*\" in *--version*) exec ", real,
                  " \"$@\";; esac\nexec tail -f /dev/null --pid=", ::getpid(), "\n"),
        0755);
  const base::SystemClock clock;
  io::openpgp::Engine engine("", clock, std::chrono::seconds(1));
  const auto program = directory.path() + "/hanging";
  ASSERT_EQ(
      gpgme_ctx_set_engine_info(engine.context(), GPGME_PROTOCOL_OpenPGP, program.c_str(), nullptr),
      0U);
  const auto message = base::read_file(directory.path() + "/message");
  const auto input = io::openpgp::input_of(message);
  io::openpgp::OutputData output;
  const auto error = support::refused([&] {
    engine.run(message.size(), [&](gpgme_ctx_t context) {
      return gpgme_op_verify_start(context, input.get(), nullptr, output.get());
    });
  });
  EXPECT_THAT(error.what(), HasSubstr("no answer in time"));
}

}  // namespace

#include "tests/support/gpg_home.h"

#include <cstdlib>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"

namespace support {

namespace {

std::optional<std::string> swap_env(const char* name, const std::optional<std::string>& value) {
  const char* old = std::getenv(name);
  std::optional<std::string> before =
      old != nullptr ? std::optional<std::string>(old) : std::nullopt;
  if (value) {
    ::setenv(name, value->c_str(), 1);
  } else {
    ::unsetenv(name);
  }
  return before;
}

void write_file(const std::string& path, std::string_view content) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  file.write(content);
  file.close();
}

GpgvVerdict gpgv(std::vector<std::string> argv, std::optional<std::string> input) {
  base::Command command;
  command.argv = std::move(argv);
  command.input = std::move(input);
  command.capture_output = true;
  command.capture_error = true;
  auto outcome = base::run(command);
  return {outcome.status, std::move(outcome.output), std::move(outcome.error)};
}

}  // namespace

GpgHome::GpgHome()
    : outer_home_(swap_env("GNUPGHOME", directory_.path())),
      outer_key_(swap_env("SS_GPG_DEFAULT_KEY", std::nullopt)) {}

GpgHome::~GpgHome() {
  try {
    base::Command command;
    command.argv = {"gpgconf", "--homedir", path(), "--kill", "all"};
    base::run(command);
  } catch (const std::exception&) {  // nothing to be done about it in a destructor
  }
  swap_env("GNUPGHOME", outer_home_);
  swap_env("SS_GPG_DEFAULT_KEY", outer_key_);
}

std::string GpgHome::gpg(const std::vector<std::string>& arguments,
                         std::optional<std::string> input) const {
  base::Command command;
  command.argv = {"gpg",      "--homedir",       path(),    "--batch", "--yes",
                  "--no-tty", "--pinentry-mode", "loopback"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.input = std::move(input);
  command.capture_output = true;
  command.capture_error = true;
  return base::run_checked(command).output;
}

std::string GpgHome::make_key(const KeyOptions& options) const {
  const std::string created = "--faked-system-time=" + options.created;
  const std::string usage = options.signing_subkey ? "cert" : "sign";
  const auto status =
      gpg({created, "--status-fd", "1", "--passphrase", options.passphrase, "--quick-gen-key",
           options.user_id, options.algorithm, usage, options.expires});
  // [GNUPG:] KEY_CREATED P FINGERPRINT
  const auto at = status.find("KEY_CREATED ");
  if (at == std::string::npos) {
    throw base::Error(base::Errc::internal, "gpg told of no new key: " + status);
  }
  const auto fingerprint = base::split(base::split(status.substr(at), '\n')[0], ' ').at(2);
  if (options.signing_subkey) {
    gpg({created, "--passphrase", options.passphrase, "--quick-add-key", fingerprint,
         options.algorithm, "sign", options.expires});
  }
  return fingerprint;
}

void GpgHome::revoke_key(const std::string& fingerprint) const {
  const auto certificate =
      base::read_file(base::cat(path(), "/openpgp-revocs.d/", fingerprint, ".rev"));
  // gpg puts a colon in front of the block, so that nobody imports it by mistake.
  gpg({"--import"}, base::replace_all(certificate, "\n:-----BEGIN", "\n-----BEGIN"));
}

std::string GpgHome::export_keys(const std::vector<std::string>& fingerprints, bool armored) const {
  std::vector<std::string> arguments;
  if (armored) {
    arguments.emplace_back("--armor");
  }
  arguments.emplace_back("--export");
  arguments.insert(arguments.end(), fingerprints.begin(), fingerprints.end());
  return gpg(arguments);
}

GpgvVerdict run_gpgv(const std::string& keyring_file, std::string_view message) {
  return gpgv({"gpgv", "--keyring", keyring_file, "-o", "-", "-"}, std::string(message));
}

GpgvVerdict run_gpgv_detached(const std::string& keyring_file, std::string_view data,
                              std::string_view signature) {
  const base::TempDir directory("gpgv-");
  write_file(directory.path() + "/data", data);
  write_file(directory.path() + "/data.gpg", signature);
  return gpgv({"gpgv", "--keyring", keyring_file, directory.path() + "/data.gpg",
               directory.path() + "/data"},
              std::nullopt);
}

}  // namespace support

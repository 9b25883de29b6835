#include "meph2/keys/keys.h"

#include <unistd.h>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"
#include "meph2/keys/key_rotation.h"

namespace cli {

namespace {

using meph2::KeyStatus;

// ---- status

struct KeyStatusCommand {
  meph2::KeyStatusOptions options;
  bool json = false;
};

io::Json json_of(const KeyStatus& status) {
  auto files = io::Json::array();
  for (const auto& file : status.files) {
    files.push_back({{"fingerprint", file.fingerprint},
                     {"name", file.name},
                     {"reason", file.reason},
                     {"state", file.state}});
  }
  auto keys = io::Json::array();
  for (const auto& key : status.keys) {
    keys.push_back({{"algorithm", key.info.algorithm},
                    {"created", base::format_stamp(key.info.created)},
                    {"days", key.days ? io::Json(*key.days) : io::Json()},
                    {"expires", key.info.expires ? io::Json(base::format_stamp(*key.info.expires))
                                                 : io::Json()},
                    {"fingerprint", key.info.fingerprint},
                    {"published", key.published},
                    {"revoked", key.info.revoked},
                    {"signs", key.signs},
                    {"user_id", base::escape_control(key.info.user_id)}});
  }
  return {{"announced", status.announced}, {"announced_on", status.announced_on},
          {"files", std::move(files)},     {"keys", std::move(keys)},
          {"problems", status.problems},   {"signer", status.signer}};
}

std::string line_of(const KeyStatus::Key& key) {
  return base::cat("key: ", key.info.fingerprint, " ", key.info.algorithm, " '", key.info.user_id,
                   "'", key.info.revoked ? ", revoked" : "",
                   key.info.expires ? base::cat(*key.days < 0 ? ", ended " : ", ends ",
                                                base::format_stamp(*key.info.expires), ", ",
                                                *key.days, " days left")
                                    : std::string(", no expiry"),
                   key.signs ? ", signs" : ", signs nothing", key.published ? ", published" : "");
}

std::vector<std::string> lines_of(const KeyStatus& status) {
  std::vector<std::string> lines;
  for (const auto& file : status.files) {
    lines.push_back(base::cat(file.name, ": ", file.state,
                              file.fingerprint.empty() ? "" : ", signed by ", file.fingerprint,
                              file.reason.empty() ? "" : ", ", file.reason));
  }
  for (const auto& key : status.keys) {
    lines.push_back(line_of(key));
  }
  if (!status.announced.empty()) {
    lines.push_back(base::cat("announced: ", status.announced, ", ", status.announced_on));
  }
  for (const auto& problem : status.problems) {
    lines.push_back(base::cat("problem: ", problem));
  }
  return lines;
}

Action declare_key_status(const Options& line) {
  auto command = std::make_shared<KeyStatusCommand>();
  line.word("DATA_D", command->options.target, "Data directory");
  line.in(Group::trust)
      .text("--keyring", "FILE", command->options.keyring,
            "Verify with this keyring (default: DATA_D/keyring.gpg and the key that signs)");
  line.in(Group::output).flag("--json", command->json, "As JSON");
  return [command](const sstream::Context& context) {
    const auto status = meph2::key_status(command->options, context);
    if (command->json) {
      print_json(json_of(status));
    } else {
      print_lines(lines_of(status));
    }
    return static_cast<int>(status.problems.empty() ? base::exit_done : base::exit_failed);
  };
}

// ---- export

struct KeyExportCommand {
  std::string file;
  std::string key;
  bool armored = false;
};

Action declare_key_export(const Options& line) {
  auto command = std::make_shared<KeyExportCommand>();
  line.word("FILE", command->file, "File to write, - for stdout");
  line.text("--key", "KEY", command->key,
            "Key (default: $SS_GPG_DEFAULT_KEY, else GnuPG's default key)");
  line.flag("--armor", command->armored, "As text, for juju (default: binary, for MAAS)");
  return [command](const sstream::Context& context) {
    const auto bytes = meph2::export_key(command->key, command->armored, context);
    if (command->file == "-") {
      base::File out(base::UniqueFd(::dup(STDOUT_FILENO)), "stdout");
      out.write(bytes);
      out.close();
    } else {
      base::replace_file(command->file, bytes);
    }
    return static_cast<int>(base::exit_done);
  };
}

// ---- rotate

struct KeyRotateCommand : VerbCommand<meph2::RotateOptions> {
  std::string announce;
  bool change = false;
  bool finish = false;
};

std::vector<std::string> lines_of(const KeyRotateCommand& command,
                                  const meph2::RotateResult& result) {
  if (!result.changed) {
    return {"nothing to do"};
  }
  const std::string keyring = base::cat("keyring.gpg holds ", base::join(result.keyring, ", "));
  if (command.change) {
    std::vector<std::string> lines;
    for (const auto& document : result.published.signed_documents) {
      lines.push_back(base::cat("signed streams/v1/", document));
    }
    lines.push_back(base::cat("signed by ", result.key, "; ", keyring));
    return lines;
  }
  return {command.finish ? keyring
                         : base::cat(keyring, "; --switch from ",
                                     base::format_stamp(*base::parse_stamp(result.next.announced) +
                                                        command.options.grace))};
}

io::Json report_of(const KeyRotateCommand& command, const meph2::RotateResult& result) {
  sstream::PublishOptions options;
  options.action = "keys rotate";
  options.dry_run = command.options.dry_run;
  auto report = sstream::report_of(result.published, options);
  report["changed"] = result.changed;
  report["key"] = result.key;
  report["keyring"] = result.keyring;
  if (!result.next.key.empty()) {
    report["announced"] = {{"key", result.next.key}, {"on", result.next.announced}};
  }
  return report;
}

int rotate(const KeyRotateCommand& command, const sstream::Context& context) {
  const auto& options = command.options;
  if ((command.announce.empty() ? 0 : 1) + (command.change ? 1 : 0) + (command.finish ? 1 : 0) !=
      1) {
    throw base::Error(base::Errc::usage,
                      "keys rotate: one of --announce KEY, --switch and --finish");
  }
  const auto result = command.change   ? meph2::switch_key(options, context)
                      : command.finish ? meph2::finish_rotation(options, context)
                                       : meph2::announce_key(options, command.announce, context);
  return finish(report_of(command, result), lines_of(command, result), command.flags);
}

Action declare_key_rotate(const Options& line) {
  auto command = std::make_shared<KeyRotateCommand>();
  auto& options = command->options;
  line.word("DATA_D", options.target, "Data directory");
  line.text("--announce", "KEY", command->announce,
            "First: publish the keyring with this key, which is to sign, beside the one that "
            "signs");
  line.flag("--switch", command->change, "Then: sign everything with the announced key");
  line.flag("--finish", command->finish,
            "Last: publish the keyring with the key that signs, and no other");
  line.duration("--grace", options.grace,
                "How long the keyring has to be out before a switch (default: 7d)");
  add_dry_run(line, options.dry_run, command->flags);
  add_lock_and_report(line, options.lock_timeout, command->flags);
  return [command](const sstream::Context& context) { return rotate(*command, context); };
}

}  // namespace

std::vector<Command> keys_commands() {
  return {{"status", "What each file is signed with, and when the keys end",
           "meph2-util keys status daily-stream.d", declare_key_status},
          {"export", "Write the public key, for readers", "meph2-util keys export keyring.gpg",
           declare_key_export},
          {"rotate", "Sign with another key: announce it, later switch",
           "meph2-util keys rotate --announce 0123456789ABCDEF0123456789ABCDEF01234567 "
           "daily-stream.d\nmeph2-util keys rotate --switch --grace 7d daily-stream.d",
           declare_key_rotate}};
}

}  // namespace cli

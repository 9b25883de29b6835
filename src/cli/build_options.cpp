#include "cli/build_options.h"

#include "base/exit_code.h"
#include "base/fs/log_file.h"
#include "base/strings.h"

namespace cli {

meph2::BuilderOptions BuildFlags::builder(unsigned verbosity) const {
  meph2::BuilderOptions options;
  options.verbosity = verbosity;
  options.jobs = http.jobs.value_or(0);
  options.unprivileged = unprivileged;
  options.resume = resume;
  return options;
}

namespace {

void add_installer_options(const Options& line, BuildFlags& flags) {
  line.either("--enable-di", "--disable-di", flags.enable_di,
              "Publish the debian-installer's kernels as di-* items, or do not, whatever the "
              "configuration says");
  line.list("--di-mirror", "URL", flags.installer.mirrors,
            "Archive to take them from, above dists/; more of them are tried in turn (default: the "
            "configuration's, by architecture)");
  const auto trust = line.in(Group::trust);
  trust.text("--di-keyring", "FILE", flags.installer.keyring,
             "The archive must be signed by a key of this file (default: the configuration's)");
  trust.flag("--di-no-verify", flags.installer.no_verify, "Do not verify the archive's signatures");
  trust.flag("--di-allow-md5", flags.installer.allow_md5,
             "Take an installer that has no better digests than MD5SUMS");
}

}  // namespace

void add_build_options(const Options& line, BuildFlags& flags, meph2::BuildRequest& request) {
  line.text("--config", "FILE", flags.config,
            "What to build, in the format of conf/meph-v3.yaml (default: $MEPH2_CONFIG_YAML, else "
            "conf/meph-v2.yaml)");
  add_installer_options(line, flags);
  line.flag("--proposed", request.proposed, "Take packages from the -proposed pocket");
  line.text("--proposed-packages", "A,B,...", request.proposed_packages,
            "Only these packages from there");
  line.text("--pre-purge-packages", "A,B,...", request.pre_purge_packages,
            "Remove these packages first");
  add_http_options(line, flags.http,
                   "Build so many kernels, or download so many files, at once (default: the "
                   "builder's, one per core; 4)");
  line.flag("--unprivileged", flags.unprivileged,
            "Build without root, in a user namespace (the default for who is not root)");
  line.flag_off("--no-resume", flags.resume,
                "Make every stage anew, also those that a build which died had finished");
  add_log_file(line, flags.log_file);
}

void add_log_file(const Options& line, std::string& path) {
  line.in(Group::output)
      .text("--log-file", "FILE", path, "Write the log to this file, not to stderr");
}

int with_log_file(const std::string& path, const sstream::Context& context,
                  const std::function<int(const sstream::Context& context)>& work) {
  if (path.empty()) {
    return work(context);
  }
  base::LogFile file(path, context.log);
  const base::Log log("meph2", base::LogLevel::debug, file.sink());
  const int code = work(context.with(log));
  try {
    file.finish();
  } catch (const base::Error&) {
    if (code == base::exit_done) {
      throw;
    }  // else what failed comes first; that the log ends was said at once
  }
  return code;
}

}  // namespace cli

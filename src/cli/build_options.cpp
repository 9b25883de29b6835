#include "cli/build_options.h"

#include "base/fs/log_file.h"
#include "base/strings.h"

namespace cli {

std::optional<bool> BuildFlags::di() const {
  if (enable_di || disable_di) {
    return enable_di;
  }
  return std::nullopt;
}

meph2::BuilderOptions BuildFlags::builder(const CLI::App& app) const {
  meph2::BuilderOptions options;
  options.verbosity = static_cast<unsigned>(app.count("--verbose"));
  options.jobs = http.jobs.value_or(0);
  options.unprivileged = unprivileged;
  options.resume = !no_resume;
  return options;
}

namespace {

void add_installer_options(CLI::App& app, BuildFlags& flags) {
  auto* enable = app.add_flag("--enable-di", flags.enable_di,
                              "Publish the debian-installer's kernels as di-* items");
  app.add_flag("--disable-di", flags.disable_di, "Do not, whatever the configuration says")
      ->excludes(enable);
  add_list(app, "--di-mirror", flags.installer.mirrors,
           "Archive to take them from, above dists/; more of them are tried in turn (default: the "
           "configuration's, by architecture)")
      ->type_name("URL");
  app.add_option("--di-keyring", flags.installer.keyring,
                 "The archive must be signed by a key of this file (default: the configuration's)")
      ->type_name("FILE");
  app.add_flag("--di-no-verify", flags.installer.no_verify,
               "Do not verify the archive's signatures");
  app.add_flag("--di-allow-md5", flags.installer.allow_md5,
               "Take an installer that has no better digests than MD5SUMS");
}

}  // namespace

void add_build_options(CLI::App& app, BuildFlags& flags, meph2::BuildRequest& request) {
  app.add_option("--config", flags.config,
                 "What to build: a file in the format of conf/meph-v3.yaml (default: "
                 "$MEPH2_CONFIG_YAML, else "
                 "conf/meph-v2.yaml)")
      ->type_name("FILE");
  add_installer_options(app, flags);
  app.add_flag("--proposed", request.proposed, "Take packages from the -proposed pocket");
  app.add_option("--proposed-packages", request.proposed_packages, "Only these packages from there")
      ->type_name("A,B,...");
  app.add_option("--pre-purge-packages", request.pre_purge_packages, "Remove these packages first")
      ->type_name("A,B,...");
  add_http_options(app, flags.http,
                   "Build so many kernels, or download so many files, at once (default: the "
                   "builder's, one per core; 4)");
  app.add_flag("--unprivileged", flags.unprivileged,
               "Build without root, in a user namespace (the default for who is not root)");
  app.add_flag("--no-resume", flags.no_resume,
               "Make every stage anew, also those that a build which died had finished");
  app.add_option("--log-file", flags.log_file, "Write the log to this file, not to stderr")
      ->type_name("FILE");
}

int with_log_file(const std::string& path, sstream::Context& context,
                  const std::function<int(sstream::Context& context)>& work) {
  if (path.empty()) {
    return work(context);
  }
  base::LogFile file(path, context.log);
  const base::Log log("meph2", base::LogLevel::debug, file.sink());
  sstream::Context logged{context.clock, log,          context.progress,
                          context.http,  context.stop, context.print};
  const int code = work(logged);
  file.finish();
  return code;
}

}  // namespace cli

#include "cli/build_options.h"

namespace cli {

void add_build_options(const Options& line, const BuildOptions& options, RunFlags& flags) {
  line.text("--config", "FILE", options.config,
            "What to build, in the format of conf/meph-v3.yaml (default: $MEPH2_CONFIG_YAML, else "
            "conf/meph-v2.yaml)");
  line.either("--enable-di", "--disable-di", options.enable_di,
              "Publish the debian-installer's kernels as di-* items, or do not, whatever the "
              "configuration says");
  line.list("--di-mirror", "URL", options.installer.mirrors,
            "Archive to take them from, above dists/; more of them are tried in turn (default: the "
            "configuration's, by architecture)");
  const auto trust = line.in(Group::trust);
  trust.text("--di-keyring", "FILE", options.installer.keyring,
             "The archive must be signed by a key of this file (default: the configuration's)");
  trust.flag("--di-no-verify", options.installer.no_verify,
             "Do not verify the archive's signatures");
  trust.flag("--di-allow-md5", options.installer.allow_md5,
             "Take an installer that has no better digests than MD5SUMS");
  line.flag("--proposed", options.request.proposed, "Take packages from the -proposed pocket");
  line.text("--proposed-packages", "A,B,...", options.request.proposed_packages,
            "Only these packages from there");
  line.text("--pre-purge-packages", "A,B,...", options.request.pre_purge_packages,
            "Remove these packages first");
  add_http_options(line, flags,
                   "Build so many kernels, or download so many files, at once (default: the "
                   "builder's, one per core; 4)");
  line.flag("--unprivileged", options.builder.unprivileged,
            "Build without root, in a user namespace (the default for who is not root)");
  line.flag_off("--no-resume", options.builder.resume,
                "Make every stage anew, also those that a build which died had finished");
  add_log_file(line, flags);
}

}  // namespace cli

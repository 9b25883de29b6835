#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <unistd.h>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/program.h"
#include "meph2/image/build.h"
#include "meph2/image/sandbox/unprivileged.h"
#include "meph2/image/stage.h"

namespace {

using meph2::image::BuildOptions;

struct Words {
  BuildOptions options;
  bool unprivileged = false;
  bool no_resume = false;
  std::string proposed_packages;
  std::string pre_purge_packages;
  std::vector<std::string> packs;
  std::optional<std::uint64_t> jobs;
};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> arguments;  ///< main's, to start again with

/// Who is not root does it as root of a user namespace.
void become_able_to_mount(const Words& words) {
  if (meph2::image::in_user_namespace()) {
    return;
  }
  if (::geteuid() != 0) {
    if (words.options.mounts()) {
      check_options(words.options);
      meph2::image::exec_in_user_namespace(arguments);
    }
  } else if (words.unprivileged) {
    throw base::Error(base::Errc::usage,
                      "--unprivileged: root is not without privileges; run the build as an "
                      "account of its own (see newuidmap(1))");
  }
}

int build(Words& words, const sstream::Context& context) {
  auto& options = words.options;
  options.resume = !words.no_resume;
  options.proposed_packages = base::split_list(words.proposed_packages, ',');
  options.pre_purge_packages = base::split_list(words.pre_purge_packages, ',');
  // Packages are parted by commas or blanks, repositories by commas: "deb URL suite" has blanks.
  options.add_repositories = base::split_list(from_environment("M2E_ADD_REPOS"), ',');
  options.add_packages =
      base::split_list(base::replace_all(from_environment("M2E_ADD_PACKAGES"), ",", " "), ' ');
  options.jobs = static_cast<unsigned>(std::min<std::uint64_t>(words.jobs.value_or(0), 1024));
  for (const auto& pack : words.packs) {
    options.packs.push_back(meph2::image::parse_kernel_pack(pack));
  }
  become_able_to_mount(words);
  for (const auto& file : meph2::image::make_image(options, context).files) {
    cli::print_line(file);
  }
  return 0;
}

cli::Action declare(const cli::Options& line) {
  auto words = std::make_shared<Words>();
  auto& options = words->options;
  line.text("-f,--format", "FORMAT", options.format,
            "auto (the default), img-tar, root-image, root-image-gz, root-tar or squashfs-image");
  line.flag("--proposed", options.proposed, "Take packages from the proposed pocket");
  line.text("--proposed-packages", "A,B,...", words->proposed_packages,
            "Take only these from the proposed pocket (comma separated)");
  line.text("--pre-purge-packages", "A,B,...", words->pre_purge_packages,
            "Purge these first (comma separated)");
  line.flag_off("--no-gzip", options.gzip, "Write no root image");
  line.flag_off("--no-squashfs", options.squashfs, "Write no squashfs");
  line.text("-k,--kernel", "PACKAGE", options.kernel,
            "Kernel package to install in the root (default: none)");
  line.text("-a,--arch", "ARCH", options.arch, "Architecture that the image must be of");
  line.text("--manifest", "FILE", options.manifest, "Write package versions to FILE");
  line.list("-p,--krd-pack", "PACK", words->packs,
            "Pack a kernel and its initrd: PKG,KERNEL,INITRD, and behind it ,--dtb=NAME=FILE or "
            ",--kihelper=PROG (may be repeated)");
  line.number("-j,--jobs", words->jobs, "Kernels and blocks at once (default: one per core)")
      .environment("M2E_JOBS");
  line.duration("--stage-timeout", options.stage_timeout,
                "End the build where one of its stages takes longer; 0: never (default: 2h)")
      .environment("M2E_STAGE_TIMEOUT");
  line.text("--compression", "KIND", options.compression,
            "xz, zstd or gzip, for a squashfs that has to be made (default: as the release "
            "needs)")
      .environment("M2E_SQUASHFS_COMPRESSION");
  line.size("--root-image-size", options.root_image_size,
            "Size of the file system of a root image (default: 1400M)")
      .environment("M2E_ROOT_IMAGE_SIZE");
  line.flag("--unprivileged", words->unprivileged,
            "Build without root, in a user namespace (the default for who is not root)")
      .environment("M2E_UNPRIVILEGED");
  line.text("--conf", "FILE", options.conf, "What releases need (default: conf/builder.yaml)");
  line.text("--stages", "DIR", options.stages,
            "Keep finished stages in this directory until the build is complete, and go on "
            "with those that an earlier build left there (default: keep none)")
      .environment("M2E_STAGES");
  line.in(cli::Group::output)
      .text("--report", "FILE", options.report,
            "Write what was done to this file, as JSON, after a failure as well")
      .environment("M2E_REPORT");
  line.text("--logs", "DIR", options.logs,
            "Log each stage in this directory; what a build logged goes when it is complete "
            "(default: no logs)")
      .environment("M2E_LOGS");
  line.flag("--no-resume", words->no_resume, "Take no stage of an earlier build")
      .environment("M2E_NO_RESUME");
  line.word("IMG_URL", options.source, "Image: path or URL");
  line.word("OUT/root-image.gz", options.root_image, "Root image; the squashfs goes beside it");
  return [words, line](const sstream::Context& context) {
    words->options.verbose = line.verbosity();  // one shows what programs print, too
    return build(*words, context);
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], meph2::image::stage_option) == 0) {  // NOLINT
    return meph2::image::stage_main(std::atoi(argv[2]));                     // NOLINT
  }
  if (argc > 1 && std::strcmp(argv[1], meph2::image::user_namespace_option) == 0) {  // NOLINT
    try {
      meph2::image::enter_user_namespace();
    } catch (const base::Error& error) {
      static_cast<void>(std::fputs((base::describe(error) + "\n").c_str(), stderr));
      return base::exit_code_of(error.code());
    }
    argv[1] = argv[0];  // NOLINT
    ++argv;             // NOLINT
    --argc;
  }
  arguments.assign(argv, argv + argc);  // NOLINT
  return cli::run_program(
      argc, argv,
      {"maas-cloudimg2eph2",
       "Make a squashfs (or root image), manifest, kernels and initrds of a cloud image",
       "maas-cloudimg2eph2 --format=auto --no-gzip --kernel=none --arch=amd64 "
       "--manifest=out/squashfs.manifest \\\n  image.tar.xz out/root-image.gz "
       "--krd-pack=linux-generic,out/boot-kernel,out/boot-initrd",
       declare});
}

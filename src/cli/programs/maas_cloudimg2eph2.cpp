#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <unistd.h>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/strings.h"
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
  bool no_gzip = false;
  bool no_squashfs = false;
  std::string proposed_packages;
  std::string pre_purge_packages;
  std::vector<std::string> packs;
  std::optional<std::uint64_t> jobs;
};

std::vector<std::string> from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::vector<std::string>() : base::split_list(value, ',');
}

/// Packages are parted by commas or blanks, repositories by commas: "deb URL suite" has blanks.
std::vector<std::string> packages_from_environment(const char* name) {
  std::vector<std::string> out;
  for (const auto& part : from_environment(name)) {
    for (const auto& word : base::split_list(part, ' ')) {
      out.push_back(word);
    }
  }
  return out;
}

/// How often -v was said: one shows what programs print, too. (The table runner counts it for the
/// log only.)
unsigned verbosity = 0;

unsigned count_verbose(int argc, char** argv) {
  unsigned count = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];  // NOLINT: main's own signature
    if (word == "--verbose") {
      ++count;
    } else if (word.size() > 1 && word.find_first_not_of('v', 1) == std::string_view::npos &&
               word[0] == '-') {
      count += static_cast<unsigned>(word.size() - 1);
    }
  }
  return count;
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

int build(Words& words, sstream::Context& context) {
  auto& options = words.options;
  options.verbose = verbosity;
  options.resume = !words.no_resume;
  options.gzip = !words.no_gzip;
  options.squashfs = !words.no_squashfs;
  options.proposed_packages = base::split_list(words.proposed_packages, ',');
  options.pre_purge_packages = base::split_list(words.pre_purge_packages, ',');
  options.add_repositories = from_environment("M2E_ADD_REPOS");
  options.add_packages = packages_from_environment("M2E_ADD_PACKAGES");
  options.jobs = static_cast<unsigned>(std::min<std::uint64_t>(words.jobs.value_or(0), 1024));
  for (const auto& pack : words.packs) {
    options.packs.push_back(meph2::image::parse_kernel_pack(pack));
  }
  become_able_to_mount(words);
  for (const auto& file : meph2::image::make_image(options, context).files) {
    context.print(file);
  }
  return 0;
}

cli::Action declare(CLI::App& app) {
  auto words = std::make_shared<Words>();
  auto& options = words->options;
  app.add_option("--format,-f", options.format,
                 "auto, img-tar, root-image, root-image-gz, root-tar or squashfs-image")
      ->capture_default_str();
  app.add_flag("--proposed", options.proposed, "Take packages from the proposed pocket");
  app.add_option("--proposed-packages", words->proposed_packages,
                 "Take only these from the proposed pocket (comma separated)");
  app.add_option("--pre-purge-packages", words->pre_purge_packages,
                 "Purge these first (comma separated)");
  app.add_flag("--no-gzip", words->no_gzip, "Write no root image");
  app.add_flag("--no-squashfs", words->no_squashfs, "Write no squashfs");
  app.add_option("--kernel,-k", options.kernel, "Kernel package to install in the root, or none")
      ->capture_default_str();
  app.add_option("--arch,-a", options.arch, "Architecture that the image must be of");
  app.add_option("--manifest", options.manifest, "Write package versions to FILE");
  cli::add_list(app, "--krd-pack,-p", words->packs,
                "PKG,KERNEL,INITRD[,--dtb=NAME=FILE][,--kihelper=PROG]: pack a kernel and its "
                "initrd (repeatable)");
  cli::add_number(app, "--jobs,-j", words->jobs,
                  "Kernels and blocks at once (default: one per core)")
      ->envname("M2E_JOBS");
  app.add_option("--compression", options.compression,
                 "xz, zstd or gzip, for a squashfs that has to be made (default: as the release "
                 "needs)")
      ->envname("M2E_SQUASHFS_COMPRESSION");
  cli::add_size(app, "--root-image-size", options.root_image_size,
                "Size of the file system of a root image (default: 1400M)")
      ->envname("M2E_ROOT_IMAGE_SIZE");
  app.add_flag("--unprivileged", words->unprivileged,
               "Build without root, in a user namespace (the default for who is not root)")
      ->envname("M2E_UNPRIVILEGED");
  app.add_option("--conf", options.conf, "What releases need (default: conf/builder.yaml)");
  app.add_option("--stages", options.stages,
                 "Keep finished stages in this directory until the build is complete, and go on "
                 "with those that an earlier build left there (default: keep none)")
      ->type_name("DIR")
      ->envname("M2E_STAGES");
  app.add_option("--report", options.report,
                 "Write what was done to this file, as JSON, after a failure as well")
      ->type_name("FILE")
      ->envname("M2E_REPORT");
  app.add_option("--logs", options.logs,
                 "Log each stage in this directory; what a build logged goes when it is complete "
                 "(default: no logs)")
      ->type_name("DIR")
      ->envname("M2E_LOGS");
  app.add_flag("--no-resume", words->no_resume, "Take no stage of an earlier build")
      ->envname("M2E_NO_RESUME");
  app.add_option("IMG_URL", options.source, "Image: path or URL")->required();
  app.add_option("OUT/root-image.gz", options.root_image, "Root image; the squashfs goes beside it")
      ->required();
  return [words](sstream::Context& context) { return build(*words, context); };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], meph2::image::stage_option) == 0) {  // NOLINT
    return meph2::image::stage_main(argv[2]);                                // NOLINT
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
  verbosity = count_verbose(argc, argv);
  return cli::run_program(
      argc, argv, "maas-cloudimg2eph2",
      "Make a squashfs (or root image), manifest, kernels and initrds of a cloud image",
      {{"", "",
        "maas-cloudimg2eph2 --format=auto --no-gzip --kernel=none --arch=amd64 "
        "--manifest=out/squashfs.manifest\n  image.tar.xz out/root-image.gz "
        "--krd-pack=linux-generic,out/boot-kernel,out/boot-initrd",
        declare}});
}

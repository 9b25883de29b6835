#include "meph2/image/build.h"

#include <algorithm>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/stop.h"
#include "base/strings.h"
#include "base/subprocess.h"
#include "base/tree.h"
#include "base/worker_pool.h"
#include "io/squashfs.h"
#include "meph2/image/dpkg.h"
#include "meph2/image/recipe.h"
#include "meph2/image/source.h"
#include "meph2/image/stage.h"
#include "meph2/image/stage_store.h"
#include "meph2/image/unprivileged.h"
#include "meph2/image/workplace.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Strings = std::vector<std::string>;

constexpr std::uint64_t largest_status = 256ULL << 20U;
constexpr const char* status_file = "var/lib/dpkg/status";

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : slash == 0 ? "/" : path.substr(0, slash);
}

class Build {
 public:
  Build(const BuildOptions& options, sstream::Context& context)
      : options_(options),
        context_(context),
        jobs_(options.jobs != 0 ? options.jobs : base::core_count()),
        conf_(options.conf.empty() ? default_needs_path() : options.conf),
        workplace_(directory_of(options.root_image)),
        stages_(options.stages, options.resume, context) {}

  BuildResult run() {
    source_ = open_source(options_, conf_, workplace_, stages_, context_);
    base::check_stop(context_.stop);
    read_root(source_.squashfs);
    if (needs_mounts()) {
      require_root();
      recipe_.emplace(options_, os_, read_needs(conf_, os_));
    }
    if (options_.adjusts()) {
      adjust();
    }
    if (!options_.manifest.empty()) {
      manifest();
    }
    pack_kernels();
    root_image();
    squashfs();
    if (!manifest_.empty()) {
      outputs_.add(manifest_, options_.manifest);
    }
    base::check_stop(context_.stop);
    result_.files = outputs_.publish();
    stages_.forget();
    return result_;
  }

 private:
  bool needs_mounts() const { return options_.mounts(); }

  void require_root() const {
    if (::geteuid() != 0) {
      throw Error(Errc::refused,
                  "kernels and root images are made in mounted file systems: run as root");
    }
  }

  void read_root(const std::string& squashfs) {
    os_ = os_release_of(squashfs);
    auto file = base::open_file(squashfs, O_RDONLY);
    const auto text = io::Squashfs(file).read(status_file, largest_status);
    if (!text) {
      if (!options_.manifest.empty() || needs_mounts()) {
        throw Error(Errc::untrusted,
                    base::cat("read ", options_.source, ": the image has no dpkg (/", status_file,
                              " is missing): neither a manifest nor kernels can "
                              "be made of it"));
      }
      return;
    }
    packages_ = parse_dpkg_status(*text, base::cat(options_.source, ": /", status_file));
    const auto dpkg = std::find_if(packages_.begin(), packages_.end(),
                                   [](const auto& each) { return each.name == "dpkg"; });
    if (!options_.arch.empty() && dpkg != packages_.end() && dpkg->architecture != options_.arch) {
      throw Error(Errc::untrusted,
                  base::cat("read ", options_.source, ": the image is of architecture ",
                            dpkg->architecture, ", not ", options_.arch));
    }
  }

  Layers layers() const {
    Layers layers;
    layers.base_file = source_.squashfs;
    layers.lowers = lowers_;
    return layers;
  }

  StageJob job(const std::string& kind, const std::string& label) const {
    StageJob job;
    job.kind = kind;
    job.label = label;
    job.layers = layers();
    job.verbose = options_.verbose > 1;
    return job;
  }

  /// Runs a stage that makes a layer, or has the layer of an earlier build take its place.
  std::optional<std::string> make_layer(const StageInputs& inputs, StageJob& work) {
    const auto place = base::cat(workplace_.scratch(), "/", work.layers.upper);
    const auto outcome = stages_.run(inputs, work.label, place, {"upper"}, [&] {
      return run_stage(work, workplace_.scratch(), context_.stop);
    });
    if (outcome.path != place) {
      base::remove_tree(place);
      // The names of an overlay's layers are relative, and parted by colons: a link spares us both.
      if (::symlink(outcome.path.c_str(), place.c_str()) != 0) {
        base::throw_errno(errno, "make symlink", place);
      }
    }
    return outcome.digest;
  }

  void adjust() {
    context_.log.info("changing the root file system");
    auto work = job("adjust", "adjust layer");
    work.layers.upper = "adjust";
    work.network = true;
    work.input = recipe_->adjust_input();
    adjusted_ = make_layer(recipe_->adjust_stage(source_.identity, in_user_namespace()), work);
    lowers_ = {"adjust/upper"};
    auto squash = job("squash", "squashfs");
    const auto place = workplace_.stage() + "/made-squashfs";
    squash.input = {
        {"output", place + "/squashfs"}, {"jobs", jobs_}, {"compression", recipe_->compression()}};
    const auto outcome =
        stages_.run(recipe_->squashfs_stage(source_.identity, adjusted_), squash.label, place, {},
                    [&] { return run_stage(squash, workplace_.scratch(), context_.stop); });
    made_ = outcome.path + "/squashfs";
    made_kept_ = outcome.digest.has_value();
    read_root(made_);
  }

  void manifest() {
    manifest_ = workplace_.stage() + "/manifest";
    auto file = base::open_file(manifest_, O_WRONLY | O_CREAT | O_EXCL, 0644);
    file.write(manifest_text(packages_));
    file.close();
  }

  /// Published byte for byte where it is the source. Shared as a hard link only where nobody may
  /// write to the source through its name.
  void squashfs() {
    if (!options_.squashfs) {
      return;
    }
    const auto path = base::cat(directory_of(options_.root_image), "/squashfs");
    const bool made = !made_.empty();
    if (made || !source_.untouched) {
      hand_out(made ? made_ : source_.squashfs, made ? made_kept_ : source_.kept, path);
      return;
    }
    auto from = base::open_file(source_.squashfs, O_RDONLY);
    const auto status = from.status();
    const bool safe = status.st_uid == ::geteuid() && (status.st_mode & 0222U) == 0;
    const auto stage = base::open_directory(workplace_.stage());
    base::clone_file(from, stage.fd(), "squashfs-published", safe);
    outputs_.add(workplace_.stage() + "/squashfs-published", path);
  }

  /// What cannot suffice is refused before apt is let loose: with a full disk it may wait for ever.
  void require_scratch(std::uint64_t kernels) const {
    constexpr std::uint64_t for_lists = 96ULL << 20U;    // package lists, unpacked
    constexpr std::uint64_t for_kernel = 128ULL << 20U;  // archive, modules, initrd: at least
    const auto needed = for_lists + kernels * for_kernel;
    const auto free = workplace_.free_bytes();
    if (free < needed) {
      throw base::Error(
          base::Errc::failed,
          base::cat("prepare ", kernels, " kernels: ", workplace_.scratch(),
                    ": No space left on device (need at least ", base::human_bytes(needed),
                    ", free ", base::human_bytes(free), ")"));
    }
  }

  void pack_kernels() {
    const auto works = kernel_works(options_.packs);
    if (works.empty()) {
      return;
    }
    require_scratch(works.size());
    context_.log.info(base::cat("preparing ", works.size(), " kernels"));
    auto prepare = job("prepare", "prepared layer");
    prepare.layers.upper = "prepare";
    prepare.network = true;
    prepare.input = recipe_->prepare_input();
    prepared_ = make_layer(recipe_->prepare_stage(source_.identity, adjusted_, in_user_namespace()),
                           prepare);
    lowers_.insert(lowers_.begin(), "prepare/upper");
    result_.kernels.resize(works.size());
    packed_.resize(works.size());
    base::parallel_for(works.size(), jobs_, [&](std::size_t i) {
      base::check_stop(context_.stop);
      pack_kernel(works[i], i);
    });
    for (std::size_t i = 0; i < works.size(); ++i) {
      hand_over(works[i], packed_[i]);
    }
  }

  void pack_kernel(const KernelWork& work, std::size_t number) {
    const auto name = base::cat("kernel-", number);
    const auto layer = base::cat(workplace_.scratch(), "/", name);
    auto pack = job("kernel", base::cat("kernel ", work.package));
    pack.layers.upper = name;
    pack.input = recipe_->kernel_input(work);
    const auto outcome =
        stages_.run(recipe_->kernel_stage(work, prepared_), pack.label, layer + "/out", {}, [&] {
          auto done = run_stage(pack, workplace_.scratch(), context_.stop);
          base::remove_tree(layer + "/upper");
          run_kihelper(work, layer + "/out");
          return done;
        });
    packed_[number] = outcome.path;
    result_.kernels[number] = {work.package, outcome.result.at("version").get<std::string>()};
    context_.log.info(
        base::cat(work.package, ": kernel ", outcome.result.at("file").get<std::string>()));
  }

  void run_kihelper(const KernelWork& work, const std::string& out) const {
    if (work.kihelper.empty()) {
      return;
    }
    base::Command helper;
    helper.argv = {work.kihelper, out + "/kernel", out + "/initrd"};
    helper.capture_error = true;
    base::with_context(base::cat("kernel ", work.package),
                       [&] { base::run_checked(helper, context_.stop); });
  }

  /// Gives a file its published name: what belongs to the store stays there as well, for the case
  /// that this build does not come to its end.
  void hand_out(const std::string& from, bool kept, const std::string& path) {
    if (kept) {
      stage_copy(from, path, true);
    } else {
      outputs_.add(from, path);
    }
  }

  /// Copies one result into the stage directory, once for each row that wants it.
  void stage_copy(const std::string& from, const std::string& path, bool may_link = false) {
    auto file = base::open_file(from, O_RDONLY);
    const auto name = base::cat("out-", staged_++);
    const auto stage = base::open_directory(workplace_.stage());
    base::clone_file(file, stage.fd(), name, may_link);
    outputs_.add(base::cat(workplace_.stage(), "/", name), path);
  }

  void hand_over(const KernelWork& work, const std::string& packed) {
    for (const auto* pack : work.for_packs) {
      stage_copy(packed + "/kernel", pack->kernel);
      stage_copy(packed + "/initrd", pack->initrd);
      for (const auto& dtb : pack->dtbs) {
        const auto index =
            std::find(work.dtbs.begin(), work.dtbs.end(), dtb.first) - work.dtbs.begin();
        stage_copy(base::cat(packed, "/dtb-", index), dtb.second);
      }
    }
  }

  void root_image() {
    if (!options_.gzip) {
      return;
    }
    context_.log.info("making the root image");
    auto work = job("root-image", "root image");
    work.layers.lowers = made_.empty() ? Strings() : Strings{"adjust/upper"};
    const auto place = workplace_.stage() + "/made-root-image";
    const auto raw = place + "/root-image";
    work.input = {{"output", raw}};
    const auto outcome = stages_.run(
        recipe_->root_image_stage(source_.identity, adjusted_), work.label, place, {}, [&] {
          auto done = run_stage(work, workplace_.scratch(), context_.stop);
          base::Command gzip;
          gzip.argv = {"gzip", "--no-name", "--force", raw};
          gzip.capture_error = true;
          base::run_checked(gzip, context_.stop);
          return done;
        });
    hand_out(outcome.path + "/root-image.gz", outcome.digest.has_value(), options_.root_image);
  }

  const BuildOptions& options_;
  sstream::Context& context_;
  unsigned jobs_;
  std::string conf_;
  Workplace workplace_;
  StageStore stages_;
  Outputs outputs_;
  RootSource source_;
  OsRelease os_;
  std::optional<Recipe> recipe_;  ///< where something has to be mounted
  std::vector<Package> packages_;
  Strings lowers_;
  Recipe::Known adjusted_ = "";  ///< digest of the adjust layer, "" without one
  Recipe::Known prepared_;       ///< of the prepared layer
  Strings packed_;               ///< where the files of each kernel are
  std::string made_;             ///< the adjusted squashfs, if there is one
  bool made_kept_ = false;       ///< it belongs to the store
  std::string manifest_;         ///< staged
  int staged_ = 0;
  BuildResult result_;
};

}  // namespace

BuildResult build_image(const BuildOptions& options, sstream::Context& context) {
  check_options(options);
  return Build(options, context).run();
}

}  // namespace meph2::image

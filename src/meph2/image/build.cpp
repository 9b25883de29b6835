#include "meph2/image/build.h"

#include <algorithm>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/process/subprocess.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/image/squashfs.h"
#include "meph2/image/recipe.h"
#include "meph2/image/root/root_image.h"
#include "meph2/image/run_report.h"
#include "meph2/image/sandbox/emulation.h"
#include "meph2/image/sandbox/unprivileged.h"
#include "meph2/image/sandbox/workplace.h"
#include "meph2/image/source.h"
#include "meph2/image/stage.h"
#include "meph2/image/stage_store.h"
#include "meph2/image/steps/dpkg.h"
#include "meph2/image/steps/kihelper.h"

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

std::ptrdiff_t index_of(const Strings& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) - words.begin();
}

class Build {
 public:
  Build(const BuildOptions& options, RunReport& record, sstream::Context& context)
      : options_(options),
        record_(record),
        context_(context),
        jobs_(options.jobs != 0 ? options.jobs : base::core_count()),
        conf_(options.conf.empty() ? default_needs_path() : options.conf),
        workplace_(directory_of(options.root_image)),
        stages_(options.stages, options.resume, context) {}

  BuildResult run() {
    source_ = open_source(options_, conf_, workplace_, stages_, record_, context_);
    base::check_stop(context_.stop);
    read_root(source_.squashfs);
    if (needs_mounts()) {
      require_root();
      require_emulation(arch_);
      recipe_.emplace(options_, os_, read_needs(conf_, os_));
    }
    if (options_.adjusts()) {
      adjust();
    }
    if (!options_.manifest.empty()) {
      manifest();
    }
    start_root_image();
    pack_kernels();
    finish_root_image();
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
                  "kernels and changed roots are made in mounted file systems: run as root");
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
    arch_ = dpkg == packages_.end() ? std::string() : dpkg->architecture;
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
    job.emulate = arch_;
    job.verbose = options_.verbose > 1;
    return job;
  }

  /// The work of a job, with its log.
  RunReport::Work logged(StageJob& job) const {
    return [this, &job](int log) {
      job.log = log;
      return run_stage(job, workplace_.scratch(), context_.stop);
    };
  }

  /// Runs a stage that makes a layer, or has the layer of an earlier build take its place.
  std::optional<std::string> make_layer(const StageInputs& inputs, StageJob& work) {
    const auto place = base::cat(workplace_.scratch(), "/", work.layers.upper);
    const auto outcome = record_.run(stages_, inputs, work.label, place, {"upper"}, logged(work));
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
    const auto outcome = record_.run(stages_, recipe_->squashfs_stage(source_.identity, adjusted_),
                                     squash.label, place, {}, logged(squash));
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
    base::clone_file(from, stage.fd(), "squashfs-published", safe, context_.stop);
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
    for (const auto& work : works) {
      for (const auto& helper : work.kihelpers) {
        find_kihelper(helper);  // before an hour is spent
      }
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
    const auto outcome = record_.run(stages_, recipe_->kernel_stage(work, prepared_), pack.label,
                                     layer + "/out", {}, [&](int log) {
                                       auto done = logged(pack)(log);
                                       for (std::size_t i = 0; i < work.kihelpers.size(); ++i) {
                                         run_kihelper_of(work, name, i, done.at("version"), log);
                                       }
                                       base::remove_tree(layer + "/upper");
                                       return done;
                                     });
    packed_[number] = outcome.path;
    result_.kernels[number] = {work.package, outcome.result.at("version").get<std::string>()};
    context_.log.info(
        base::cat(work.package, ": kernel ", outcome.result.at("file").get<std::string>()));
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

  /// Where kernel and initrd are as the helper of that number left them.
  static std::string helped(const std::string& packed, std::ptrdiff_t helper) {
    return base::cat(packed, "/helped-", helper);
  }

  /// It sees the root with the kernel installed, and rewrites copies of what is handed over.
  void run_kihelper_of(const KernelWork& work, const std::string& layer, std::size_t helper,
                       const Json& version, int log) {
    const auto out = base::cat(workplace_.scratch(), "/", layer, "/out");
    const auto place = helped(out, static_cast<std::ptrdiff_t>(helper));
    base::make_directories(place);
    const auto directory = base::open_directory(place);
    for (const auto* name : {"kernel", "initrd"}) {
      auto from = base::open_file(base::cat(out, "/", name), O_RDONLY);
      base::clone_file(from, directory.fd(), name, false);
    }
    auto stage = job("kihelper", base::cat("kernel ", work.package, ", kihelper ", helper));
    stage.layers.lowers.insert(stage.layers.lowers.begin(), layer + "/upper");
    stage.input = {{"program", find_kihelper(work.kihelpers[helper])},
                   {"kernel", place + "/kernel"},
                   {"initrd", place + "/initrd"},
                   {"version", version}};
    stage.log = log;
    run_stage(stage, workplace_.scratch(), context_.stop);
  }

  /// Copies one result into the stage directory, once for each row that wants it.
  void stage_copy(const std::string& from, const std::string& path, bool may_link = false) {
    auto file = base::open_file(from, O_RDONLY);
    const auto name = base::cat("out-", staged_++);
    const auto stage = base::open_directory(workplace_.stage());
    base::clone_file(file, stage.fd(), name, may_link, context_.stop);
    outputs_.add(base::cat(workplace_.stage(), "/", name), path);
  }

  void hand_over(const KernelWork& work, const std::string& packed) {
    for (const auto* pack : work.for_packs) {
      const auto place = pack->kihelper.empty()
                             ? packed
                             : helped(packed, index_of(work.kihelpers, pack->kihelper));
      stage_copy(place + "/kernel", pack->kernel);
      stage_copy(place + "/initrd", pack->initrd);
      for (const auto& dtb : pack->dtbs) {
        stage_copy(base::cat(packed, "/dtb-", index_of(work.dtbs, dtb.first)), dtb.second);
      }
    }
  }

  /// gzip keeps one core busy for longer than all the rest takes: beside the kernels, where several
  /// things may be done at once.
  void start_root_image() {
    if (!options_.gzip) {
      return;
    }
    context_.log.info("making the root image");
    root_image_work_.emplace([this](const std::stop_token& stop) { make_root_image(stop); });
    if (jobs_ == 1) {
      root_image_work_->finish(context_.stop);
    }
  }

  void make_root_image(const std::stop_token& stop) {
    RootImageOptions wanted;
    wanted.size = options_.root_image_size.value_or(usual_root_image_size);
    const auto place = workplace_.stage() + "/made-root-image";
    const auto make = [&](int log) {
      wanted.log = log;
      base::make_directories(place);
      const auto raw = place + "/root-image";
      image::make_root_image(made_.empty() ? source_.squashfs : made_, raw, wanted, context_.log,
                             stop);
      gzip_root_image(raw, stop, log);
      return Json::object();
    };
    root_image_ = record_.run(stages_, root_image_stage(wanted, source_.identity, adjusted_),
                              "root image", place, {}, make);
  }

  void finish_root_image() {
    if (root_image_work_) {
      root_image_work_->finish(context_.stop);
      hand_out(root_image_.path + "/root-image.gz", root_image_.digest.has_value(),
               options_.root_image);
    }
  }

  const BuildOptions& options_;
  RunReport& record_;
  sstream::Context& context_;
  unsigned jobs_;
  std::string conf_;
  Workplace workplace_;
  StageStore stages_;
  Outputs outputs_;
  RootSource source_;
  OsRelease os_;
  std::string arch_;              ///< the image's, as its dpkg says
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
  StageOutcome root_image_;
  std::optional<base::Beside> root_image_work_;  ///< last: it uses all the others
};

/// Best effort: the failure itself counts.
void report_failure(const std::string& path, const RunReport& record, const base::Log& log) {
  if (path.empty()) {
    return;
  }
  try {
    base::replace_file(path, io::to_text(record.report()));
  } catch (const std::exception& error) {
    log.warning(base::cat("write the report: ", error.what()));
  }
}

}  // namespace

BuildResult make_image(const BuildOptions& options, sstream::Context& context) {
  check_options(options);
  RunReport record(options.logs);
  std::optional<BuildResult> result;
  try {
    result = Build(options, record, context).run();
  } catch (...) {
    report_failure(options.report, record, context.log);
    throw;
  }
  record.forget_logs();
  if (!options.report.empty()) {
    base::replace_file(options.report, io::to_text(record.report()));
  }
  return std::move(*result);
}

}  // namespace meph2::image

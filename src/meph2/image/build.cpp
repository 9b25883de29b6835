#include "meph2/image/build.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
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
#include "meph2/image/emulation.h"
#include "meph2/image/kihelper.h"
#include "meph2/image/root_image.h"
#include "meph2/image/source.h"
#include "meph2/image/stage.h"
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

/// Rows that ask for the same kernel are one piece of work with many targets.
struct KernelWork {
  std::string package;
  Strings kihelpers;  ///< that some of them have, each once
  Strings dtbs;       ///< names, each once
  std::vector<const KernelPack*> for_packs;
};

void add_once(Strings& into, const std::string& word) {
  if (std::find(into.begin(), into.end(), word) == into.end()) {
    into.push_back(word);
  }
}

std::ptrdiff_t index_of(const Strings& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) - words.begin();
}

std::vector<KernelWork> group(const std::vector<KernelPack>& packs) {
  std::vector<KernelWork> out;
  for (const auto& pack : packs) {
    auto work = std::find_if(out.begin(), out.end(),
                             [&pack](const auto& each) { return each.package == pack.package; });
    if (work == out.end()) {
      out.push_back({pack.package, {}, {}, {}});
      work = std::prev(out.end());
    }
    for (const auto& dtb : pack.dtbs) {
      add_once(work->dtbs, dtb.first);
    }
    if (!pack.kihelper.empty()) {
      add_once(work->kihelpers, pack.kihelper);
    }
    work->for_packs.push_back(&pack);
  }
  return out;
}

class Build {
 public:
  Build(const BuildOptions& options, sstream::Context& context)
      : options_(options),
        context_(context),
        jobs_(options.jobs != 0 ? options.jobs : base::core_count()),
        conf_(options.conf.empty() ? default_needs_path() : options.conf),
        workplace_(directory_of(options.root_image)) {}

  BuildResult run() {
    source_ = open_source(options_, conf_, workplace_, context_);
    base::check_stop(context_.stop);
    read_root(source_.squashfs);
    if (needs_mounts()) {
      require_root();
      require_emulation(arch_);
      needs_ = read_needs(conf_, os_);
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

  Json proposed_input() const {
    const bool wanted = options_.proposed || !options_.proposed_packages.empty();
    auto mirror = needs_.proposed_mirrors.find(options_.arch);
    if (mirror == needs_.proposed_mirrors.end()) {
      mirror = needs_.proposed_mirrors.find("default");
    }
    const auto suite = base::replace_all(needs_.proposed_suite, "%(codename)s", os_.codename);
    std::string line;
    if (mirror != needs_.proposed_mirrors.end()) {
      line = base::cat("deb ", mirror->second, " ", suite, " ", needs_.proposed_components);
    }
    return {{"proposed", wanted},
            {"proposed_line", line},
            {"proposed_suite", suite},
            {"proposed_all", options_.proposed_packages.empty()}};
  }

  void adjust() {
    context_.log.info("changing the root file system");
    auto work = job("adjust", "adjust layer");
    work.layers.upper = "adjust";
    work.network = true;
    work.input = proposed_input();
    auto add = options_.add_packages;
    const auto suite = work.input["proposed_suite"].get<std::string>();
    for (const auto& name : options_.proposed_packages) {
      add.push_back(base::cat(name, "/", suite));
    }
    if (options_.kernel != "none") {
      add.push_back(options_.kernel);
    }
    work.input["add"] = add;
    work.input["upgrade"] = options_.proposed && options_.proposed_packages.empty();
    work.input["purge_packages"] = options_.pre_purge_packages;
    work.input["repositories"] = options_.add_repositories;
    work.input["divert"] = needs_.divert;
    run_stage(work, workplace_.scratch(), context_.stop);
    lowers_ = {"adjust/upper"};
    made_ = workplace_.stage() + "/squashfs-adjusted";
    auto squash = job("squash", "squashfs");
    squash.input = {
        {"output", made_},
        {"jobs", jobs_},
        {"compression", options_.compression.empty() ? needs_.compression : options_.compression}};
    run_stage(squash, workplace_.scratch(), context_.stop);
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
    if (!made_.empty()) {
      outputs_.add(made_, path);
      return;
    }
    if (!source_.untouched) {
      outputs_.add(source_.squashfs, path);
      return;
    }
    auto from = base::open_file(source_.squashfs, O_RDONLY);
    const auto status = from.status();
    const bool safe = status.st_uid == ::geteuid() && (status.st_mode & 0222U) == 0;
    const auto stage = base::open_directory(workplace_.stage());
    base::clone_file(from, stage.fd(), "squashfs-published", safe);
    outputs_.add(workplace_.stage() + "/squashfs-published", path);
  }

  Json initrd_needs() const {
    return {{"generator", needs_.generator},
            {"initrd_packages", needs_.initrd_packages},
            {"initrd_optional", needs_.initrd_optional},
            {"dracut_packages", needs_.dracut_packages},
            {"purge", needs_.purge},
            {"modules", needs_.modules},
            {"dracut_modules", needs_.dracut_modules},
            {"dracut_drivers", needs_.dracut_drivers},
            {"files", needs_.files},
            {"scratch_remove", needs_.scratch_remove},
            {"divert", needs_.divert}};
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
    const auto works = group(options_.packs);
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
    prepare.input = initrd_needs();
    prepare.input.update(proposed_input());
    Strings names;
    for (const auto& work : works) {
      names.push_back(work.package);
    }
    prepare.input["kernels"] = names;
    run_stage(prepare, workplace_.scratch(), context_.stop);
    lowers_.insert(lowers_.begin(), "prepare/upper");
    result_.kernels.resize(works.size());
    base::parallel_for(works.size(), jobs_, [&](std::size_t i) {
      base::check_stop(context_.stop);
      pack_kernel(works[i], i);
    });
    for (std::size_t i = 0; i < works.size(); ++i) {
      hand_over(works[i], i);
    }
  }

  std::string out_of(std::size_t number) const {
    return base::cat(workplace_.scratch(), "/kernel-", number, "/out");
  }

  void pack_kernel(const KernelWork& work, std::size_t number) {
    const auto name = base::cat("kernel-", number);
    base::make_directories(out_of(number));
    auto pack = job("kernel", base::cat("kernel ", work.package));
    pack.layers.upper = name;
    pack.input = initrd_needs();
    pack.input["package"] = work.package;
    pack.input["dtbs"] = work.dtbs;
    const auto done = run_stage(pack, workplace_.scratch(), context_.stop);
    result_.kernels[number] = {work.package, done.at("version").get<std::string>()};
    context_.log.info(base::cat(work.package, ": kernel ", done.at("file").get<std::string>()));
    for (std::size_t i = 0; i < work.kihelpers.size(); ++i) {
      run_kihelper_of(work, number, i);
    }
    base::remove_tree(base::cat(workplace_.scratch(), "/", name, "/upper"));
  }

  /// Where kernel and initrd are as the helper of that number left them.
  std::string helped(std::size_t number, std::ptrdiff_t helper) const {
    return base::cat(out_of(number), "/helped-", helper);
  }

  /// It sees the root with the kernel installed, and rewrites copies of what is handed over.
  void run_kihelper_of(const KernelWork& work, std::size_t number, std::size_t helper) {
    const auto place = helped(number, static_cast<std::ptrdiff_t>(helper));
    base::make_directories(place);
    const auto directory = base::open_directory(place);
    for (const auto* name : {"kernel", "initrd"}) {
      auto from = base::open_file(base::cat(out_of(number), "/", name), O_RDONLY);
      base::clone_file(from, directory.fd(), name, false);
    }
    auto stage = job("kihelper", base::cat("kernel ", work.package, ", kihelper ", helper));
    stage.layers.lowers.insert(stage.layers.lowers.begin(), base::cat("kernel-", number, "/upper"));
    stage.input = {{"program", find_kihelper(work.kihelpers[helper])},
                   {"kernel", place + "/kernel"},
                   {"initrd", place + "/initrd"},
                   {"version", result_.kernels[number].version}};
    run_stage(stage, workplace_.scratch(), context_.stop);
  }

  /// Copies one result into the stage directory, once for each row that wants it.
  void stage_copy(const std::string& from, const std::string& path) {
    auto file = base::open_file(from, O_RDONLY);
    const auto name = base::cat("out-", staged_++);
    const auto stage = base::open_directory(workplace_.stage());
    base::clone_file(file, stage.fd(), name, false);
    outputs_.add(base::cat(workplace_.stage(), "/", name), path);
  }

  void hand_over(const KernelWork& work, std::size_t number) {
    for (const auto* pack : work.for_packs) {
      const auto place = pack->kihelper.empty()
                             ? out_of(number)
                             : helped(number, index_of(work.kihelpers, pack->kihelper));
      stage_copy(place + "/kernel", pack->kernel);
      stage_copy(place + "/initrd", pack->initrd);
      for (const auto& dtb : pack->dtbs) {
        const auto index = index_of(work.dtbs, dtb.first);
        stage_copy(base::cat(out_of(number), "/dtb-", index), dtb.second);
      }
    }
  }

  std::string root_image_file() const { return workplace_.stage() + "/root-image"; }

  /// gzip keeps one core busy for longer than all the rest takes: beside the kernels, where several
  /// things may be done at once.
  void start_root_image() {
    if (!options_.gzip) {
      return;
    }
    context_.log.info("making the root image");
    RootImageOptions wanted;
    wanted.size = options_.root_image_size.value_or(usual_root_image_size);
    root_image_.emplace(made_.empty() ? source_.squashfs : made_, root_image_file(), wanted,
                        context_.log);
    if (jobs_ == 1) {
      root_image_->finish(context_.stop);
    }
  }

  void finish_root_image() {
    if (root_image_) {
      root_image_->finish(context_.stop);
      outputs_.add(root_image_file() + ".gz", options_.root_image);
    }
  }

  const BuildOptions& options_;
  sstream::Context& context_;
  unsigned jobs_;
  std::string conf_;
  Workplace workplace_;
  Outputs outputs_;
  RootSource source_;
  OsRelease os_;
  std::string arch_;  ///< the image's, as its dpkg says
  ReleaseNeeds needs_;
  std::vector<Package> packages_;
  Strings lowers_;
  std::string made_;      ///< the adjusted squashfs, if there is one
  std::string manifest_;  ///< staged
  int staged_ = 0;
  BuildResult result_;
  std::optional<RootImageBeside> root_image_;
};

}  // namespace

BuildResult build_image(const BuildOptions& options, sstream::Context& context) {
  check_options(options);
  return Build(options, context).run();
}

}  // namespace meph2::image

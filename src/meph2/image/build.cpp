#include "meph2/image/build.h"

#include <algorithm>
#include <optional>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/path.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/image/squashfs.h"
#include "meph2/image/kernels.h"
#include "meph2/image/recipe.h"
#include "meph2/image/root/root_image.h"
#include "meph2/image/sandbox/emulation.h"
#include "meph2/image/site.h"
#include "meph2/image/source.h"
#include "meph2/image/steps/dpkg.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;

constexpr std::uint64_t largest_status = 256ULL << 20U;
constexpr const char* status_file = "var/lib/dpkg/status";

/// What the root file system in a squashfs is.
struct Contents {
  OsRelease os;
  std::vector<Package> packages = {};
  std::string arch = {};  ///< as its dpkg says; empty: there is no dpkg
};

/// The root that is published.
struct Root {
  RootSource image;
  Contents contents;
  KnownRoot known;
  Layers layers;  ///< to be mounted
};

class Build {
 public:
  Build(const BuildOptions& options, RunReport& record, const sstream::Context& context)
      : options_(options),
        conf_(options.conf.empty() ? default_needs_path() : options.conf),
        site_{.workplace = Workplace(base::parent_of(options.root_image)),
              .stages = StageStore(options.stages, options.resume, context),
              .record = record,
              .context = context,
              .jobs = options.jobs != 0 ? options.jobs : base::core_count()} {}

  BuildResult run() {
    auto root = open_root();
    std::optional<Recipe> recipe;
    if (options_.mounts()) {
      require_root();
      require_emulation(root.contents.arch);
      recipe.emplace(options_, root.contents.os, read_needs(conf_, root.contents.os));
    }
    if (options_.adjusts()) {
      adjust(root, *recipe);
    }
    const auto manifest = site_.workplace.stage() + "/manifest";
    if (!options_.manifest.empty()) {
      auto file = base::open_file(manifest, O_WRONLY | O_CREAT | O_EXCL, 0644);
      file.write(manifest_text(root.contents.packages));
      file.close();
    }
    BuildResult result;
    make_images(root, recipe, result);
    publish_squashfs(root.image);
    if (!options_.manifest.empty()) {
      site_.outputs.add(manifest, options_.manifest);
    }
    base::check_stop(site_.context.stop);
    result.files = site_.outputs.publish();
    site_.stages.forget();
    return result;
  }

 private:
  static void require_root() {
    if (::geteuid() != 0) {
      throw Error(Errc::refused,
                  "kernels and changed roots are made in mounted file systems: run as root");
    }
  }

  Root open_root() {
    auto image = open_source(options_, conf_, site_);
    base::check_stop(site_.context.stop);
    auto contents = read_root(image.squashfs);
    return {.image = image,
            .contents = std::move(contents),
            .known = {.base = image.identity},
            .layers = {.base_file = options_.mounts() ? site_.readable_by_image(image.squashfs)
                                                      : image.squashfs}};
  }

  Contents read_root(const std::string& squashfs) const {
    Contents out{.os = os_release_of(squashfs)};
    auto file = base::open_file(squashfs, O_RDONLY);
    const auto text = io::Squashfs(file).read(status_file, largest_status);
    if (!text) {
      if (!options_.manifest.empty() || options_.mounts()) {
        throw Error(Errc::untrusted,
                    base::cat("read ", options_.source, ": the image has no dpkg (/", status_file,
                              " is missing): neither a manifest nor kernels can "
                              "be made of it"));
      }
      return out;
    }
    out.packages = parse_dpkg_status(*text, base::cat(options_.source, ": /", status_file));
    const auto* dpkg = find_package(out.packages, "dpkg");
    if (dpkg == nullptr) {
      return out;
    }
    out.arch = dpkg->architecture;
    if (!options_.arch.empty() && out.arch != options_.arch) {
      throw Error(Errc::untrusted,
                  base::cat("read ", options_.source, ": the image is of architecture ", out.arch,
                            ", not ", options_.arch));
    }
    return out;
  }

  /// A job on a root; its layer, if it makes one, is `upper`.
  StageJob job_on(const Root& root, StageInput input, std::string label,
                  const std::string& upper = {}) const {
    StageJob job{.input = std::move(input),
                 .label = std::move(label),
                 .layers = root.layers,
                 .emulate = root.contents.arch,
                 .verbose = options_.verbose > 1,
                 .most_time = options_.stage_timeout};
    job.layers.upper = upper;
    return job;
  }

  void adjust(Root& root, const Recipe& recipe) {
    site_.context.log.info("changing the root file system");
    auto work = job_on(root, recipe.adjust_input(), "adjust layer", "adjust");
    work.network = true;
    root.known.adjusted = true;
    root.known.layer = site_.make_layer(recipe.adjust_stage(root.known.base), work);
    root.layers.lowers = {"adjust/upper"};
    const auto place = site_.workplace.stage() + "/made-squashfs";
    const auto squash = job_on(root,
                               SquashInput{.output = place + "/squashfs",
                                           .jobs = site_.jobs,
                                           .compression = recipe.compression(),
                                           .conf = conf_},
                               "squashfs");
    const auto outcome =
        site_.record.run(site_.stages, recipe.squashfs_stage(root.known), squash.label, place, {},
                         [&](int log) { return site_.run(squash, log); });
    root.image = {.squashfs = outcome.path + "/squashfs", .kept = outcome.digest.has_value()};
    root.contents = read_root(root.image.squashfs);
  }

  /// Published byte for byte where it is the source. Shared as a hard link only where nobody may
  /// write to the source through its name.
  void publish_squashfs(const RootSource& image) {
    if (!options_.squashfs) {
      return;
    }
    const auto path = base::cat(base::parent_of(options_.root_image), "/squashfs");
    if (!image.untouched) {
      hand_out(image.squashfs, image.kept, path);
      return;
    }
    auto from = base::open_file(image.squashfs, O_RDONLY);
    const auto status = from.status();
    const bool safe = status.st_uid == ::geteuid() && (status.st_mode & 0222U) == 0;
    site_.publish_copy(std::move(from), path, safe);
  }

  /// Gives a file its published name: what belongs to the store stays there as well, for the case
  /// that this build does not come to its end.
  void hand_out(const std::string& from, bool kept, const std::string& path) {
    if (kept) {
      site_.publish_copy(base::open_file(from, O_RDONLY), path, true);
    } else {
      site_.outputs.add(from, path);
    }
  }

  /// gzip keeps one core busy for longer than all the rest takes: beside the kernels, where several
  /// things may be done at once.
  void make_images(const Root& root, const std::optional<Recipe>& recipe, BuildResult& result) {
    StageOutcome image;
    std::optional<base::Beside> beside;
    if (options_.gzip) {
      site_.context.log.info("making the root image");
      beside.emplace([&](const std::stop_token& stop) { image = make_root_image(root, stop); });
      if (site_.jobs == 1) {
        beside->finish(site_.context.stop);
      }
    }
    if (!options_.packs.empty()) {
      const auto works = kernel_works(options_.packs);
      result.kernels = pack_kernels(works, *recipe, root.known, job_on(root, {}, {}), site_);
    }
    if (beside) {
      beside->finish(site_.context.stop);
      hand_out(image.path + "/root-image.gz", image.digest.has_value(), options_.root_image);
    }
  }

  StageOutcome make_root_image(const Root& root, const std::stop_token& stop) {
    RootImageOptions wanted{.size = options_.root_image_size.value_or(usual_root_image_size)};
    const auto place = site_.workplace.stage() + "/made-root-image";
    const auto make = [&](int log) {
      wanted.log = log;
      base::make_directories(place);
      const auto raw = place + "/root-image";
      image::make_root_image(root.image.squashfs, raw, wanted, site_.context.log, stop);
      gzip_root_image(raw, stop, log);
      return Json::object();
    };
    return site_.record.run(site_.stages, root_image_stage(wanted, root.known), "root image", place,
                            {}, make);
  }

  const BuildOptions& options_;
  std::string conf_;
  Site site_;
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

BuildResult make_image(const BuildOptions& options, const sstream::Context& context) {
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

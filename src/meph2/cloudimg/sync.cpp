#include "meph2/cloudimg/sync.h"

#include <algorithm>
#include <functional>
#include <map>

#include <sys/utsname.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/build/built_tree.h"
#include "meph2/build/made_image.h"
#include "meph2/cloudimg/fetch.h"
#include "meph2/cloudimg/select.h"
#include "meph2/cloudimg/target.h"
#include "meph2/supply/build_space.h"
#include "sstream/repository/repository.h"

namespace meph2 {

namespace {

using sstream::ProductTree;

/// One image on its way into the stream.
struct Job {
  CloudImage image;
  BuildPlan plan;
  std::optional<MadeImage> made;  ///< once its files are known
  std::string error;
};

/// One run of cloudimg_sync(): the pieces that its steps share.
class Sync {
 public:
  Sync(const CloudimgSyncOptions& options, const sstream::Context& context)
      : options_(options),
        context_(context),
        config_(
            read_stream_config(options.config.empty() ? default_config_path() : options.config)),
        memory_(options.output),
        filters_(options.filters),
        info_(DistroInfo::load(config_.distro_info)) {
    filter_.rebuild = parse_rebuilds(options.rebuild);
    filter_.max = options.max;
    filter_.filters = &filters_;
    choose_arches();
    choose_releases();
  }

  CloudimgSyncResult run() {
    auto source = open_source();
    const auto sources = read_sources(source);
    target_.emplace(force()
                        ? ProductTree::make(config_.content_id, "image-downloads")
                        : read_target(required(options_.target, config_.default_target, "--target"),
                                      config_, context_));
    plan_jobs(sources);
    find_published();
    find_installers();
    if (!options_.publish.dry_run) {
      build_all(source);
    }
    publish();
    if (!options_.publish.dry_run) {
      memory_.save_after(result_.published && result_.published->changed);
    }
    report(source);
    return std::move(result_);
  }

 private:
  bool force() const { return options_.target == force_target; }

  std::string required(const std::string& given, const std::string& configured,
                       const char* option) const {
    if (given.empty() && configured.empty()) {
      throw base::Error(base::Errc::usage,
                        base::cat(option, ": ", config_.file, " has no default; name one"));
    }
    return given.empty() ? configured : given;
  }

  void choose_arches() {
    auto arches = options_.arches;
    if (arches.empty()) {
      struct utsname name {};

      ::uname(&name);
      arches = default_arches(name.machine);
      if (arches.empty()) {
        throw base::Error(base::Errc::usage, base::cat("no default for machines of type '",
                                                       name.machine, "': give --arches"));
      }
    }
    filter_.arches = {arches.begin(), arches.end()};
  }

  void choose_releases() {
    const auto today = base::date_of(context_.clock.now());
    for (const auto& release : config_.releases) {
      const auto* known = info_.find(release.codename);
      if (known != nullptr && known->supported(today)) {
        filter_.releases.insert(release.codename);
      } else {
        context_.log.debug(base::cat("ignoring unsupported release ", release.codename));
      }
    }
  }

  sstream::ContentSource open_source() {
    const auto where = required(options_.source, config_.default_source, "--source");
    return base::with_context("read source", [&] {
      return sstream::ContentSource::open(where, options_.trust, context_, &memory_);
    });
  }

  /// The streams to build from, in the configuration's order.
  std::vector<ProductTree> read_sources(sstream::ContentSource& source) const {
    std::vector<ProductTree> trees;
    std::vector<std::string> others;
    for (const auto& content_id : config_.source_content_ids) {
      for (const auto& entry : source.entries()) {
        if (entry.content_id == content_id) {
          trees.push_back(source.read(entry));
        }
      }
    }
    for (const auto& entry : source.entries()) {
      others.push_back(entry.content_id);
    }
    if (trees.empty()) {
      throw base::Error(base::Errc::usage,
                        base::cat("read source: it offers ",
                                  others.empty() ? "nothing" : base::join(others, ", "),
                                  "; expected ", base::join(config_.source_content_ids, " or ")));
    }
    return trees;
  }

  void plan_jobs(const std::vector<ProductTree>& sources) {
    const auto images = select_images(sources, *target_, config_, filter_,
                                      [&](const std::string& reason, bool expected) {
                                        if (expected) {
                                          context_.log.debug(reason);
                                        } else {
                                          context_.log.warning(base::cat(reason, "; left out"));
                                        }
                                      });
    for (const auto& image : images) {
      auto request = options_.request;
      request.arch = image.arch;
      request.release = image.release;
      request.version_name = image.target_version;
      jobs_.push_back({image, plan_build(config_, request, info_.find(image.release)), {}, {}});
    }
  }

  /// Images that an earlier run built into the output are not built again.
  void find_published() {
    if (jobs_.empty() || !base::exists_at(AT_FDCWD, options_.output)) {
      return;
    }
    const sstream::Repository output(options_.output, sstream::Access::read);
    const auto live = sstream::Generation::load(output);
    for (auto& job : jobs_) {
      if (auto files = published_files(options_.output, live, config_.content_id, job.plan)) {
        job.made.emplace().files = std::move(*files);
        adopt_installer_items(options_.output, live, config_.content_id, job.plan);
        context_.log.info(base::cat(job.image.name(), ": published already, not built again"));
      }
    }
  }

  void find_installers() {
    if (!options_.enable_di.value_or(config_.enable_di)) {
      return;
    }
    InstallerItems items(config_, options_.installer, info_, context_);
    for (auto* job : to_build()) {
      attempt(*job, [&] { items.add_to(job->plan); });
    }
  }

  std::vector<Job*> to_build() {
    std::vector<Job*> list;
    for (auto& job : jobs_) {
      if (!job.made && job.error.empty()) {
        list.push_back(&job);
      }
    }
    return list;
  }

  void build_all(sstream::ContentSource& source) {
    if (to_build().empty()) {
      return;
    }
    space_.emplace(options_.output, options_.publish.lock_timeout, context_);
    const sstream::Repository output(options_.output, sstream::Access::write);
    for (auto* job : to_build()) {
      attempt(*job, [&] { reuse(*job); });
    }
    const auto wanted = to_build();
    if (wanted.empty()) {
      return;
    }
    // Two runs would download into the same files.
    cache_lock_ = base::FileLock(output.private_dir(), "cloudimg-sync.lock",
                                 base::LockMode::exclusive, options_.publish.lock_timeout,
                                 sstream::waiting_for(options_.output, context_));
    cache_ = base::cat(options_.output, "/.data/.sstream/cache");
    base::make_directories(cache_);
    clean_cache(cache_, context_.clock);
    std::vector<CloudImage> images;
    images.reserve(wanted.size());
    for (const auto* job : wanted) {
      images.push_back(job->image);
    }
    const auto fetched = fetch_images(source, images, cache_, context_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      base::check_stop(context_.stop);
      build(*wanted[i], fetched[i]);
    }
  }

  /// What another tool left under one of the names would stop the publication of all images.
  void require_names_free(const std::vector<sstream::NewFile>& files) const {
    sstream::find_missing(sstream::Repository(options_.output, sstream::Access::read),
                          sstream::FileList(files), context_);
  }

  std::string make_space() {
    auto space = base::cat(space_->path(), "/", builds_++);
    base::make_directory_at(AT_FDCWD, space);
    return space;
  }

  /// Files of a version that was made from just the same, where nobody asked for another build.
  void reuse(Job& job) {
    if (!options_.reuse || job.image.version != job.image.target_version) {
      return;
    }
    auto current = current_inputs(job);
    auto found = find_reusable(options_.output, config_.content_id, current, context_);
    if (!found) {
      return;
    }
    auto installer = fetch_installer_files(job.plan, options_.output, make_space(), context_);
    context_.log.info(base::cat(job.image.name(), ": made from the same as ", found->reused,
                                ": its files are taken"));
    found->add(std::move(installer));
    require_names_free(found->new_files);
    job.made = std::move(found);
  }

  void build(Job& job, const FetchedImage& fetched) {
    attempt(job, [&] {
      if (fetched.error) {
        std::rethrow_exception(fetched.error);
      }
      const auto space = make_space();
      auto installer = fetch_installer_files(job.plan, options_.output, space, context_);
      auto current = current_inputs(job);
      auto made = make_image(current, fetched.file, space, context_);
      made.add(std::move(installer));
      require_names_free(made.new_files);
      job.made = std::move(made);
    });
  }

  /// A failure is that of the one image.
  void attempt(Job& job, const std::function<void()>& work) const {
    try {
      work();
    } catch (const base::Error& error) {
      job.error = error.what();
      context_.log.error(base::cat("build ", job.image.name(), ": ", error.what()));
    }
  }

  /// It refers to the plan of the job, which must stay where it is.
  CurrentInputs current_inputs(const Job& job) const {
    return {job.plan, builder_for(job.plan, options_.builder, config_, options_.output),
            job.image.path, job.image.sums, context_};
  }

  bool all_failed() const {
    return !jobs_.empty() &&
           std::ranges::all_of(jobs_, [](const Job& job) { return !job.error.empty(); });
  }

  void publish() {
    // A directory that is not there yet gets nothing but what was built; when there is nothing to
    // build and nothing to update, it is not made.
    if (all_failed() || (jobs_.empty() && !base::exists_at(AT_FDCWD, options_.output))) {
      return;
    }
    auto publish_options = options_.publish;
    publish_options.create = true;
    result_.published = sstream::publish(
        options_.output, [&](const sstream::Generation& live) { return plan_publication(live); },
        publish_options, context_);
    if (!options_.publish.dry_run) {
      std::vector<RecordedVersion> built;
      for (const auto& job : jobs_) {
        if (!job.error.empty()) {
          continue;
        }
        if (!cache_.empty()) {
          forget_image(cache_, job.image);
        }
        built.push_back({job.plan.version_name, job.made->inputs});
      }
      record_builds(options_.output, built, options_.publish.lock_timeout, context_);
    }
  }

  sstream::Plan plan_publication(const sstream::Generation& live) const {
    auto tree = carried_over(*target_, live, options_.output, force());
    sstream::Plan plan;
    for (const auto& job : jobs_) {
      if (!job.error.empty()) {
        continue;
      }
      const auto made = job.made.value_or(MadeImage());
      add_built_version(tree_of(job.plan, config_.content_id, made.files), job.plan.version_name,
                        tree);
      plan.files.add(made.new_files);
    }
    tree.json()["datatype"] = "image-downloads";
    settle(tree);
    if (!tree.products().empty() || live.streams().contains(config_.content_id)) {
      plan.streams.push_back(std::move(tree));
    }
    return plan;
  }

  void report(sstream::ContentSource& source) {
    for (const auto& job : jobs_) {
      const bool added =
          job.error.empty() && (job.made ? !job.made->new_files.empty() : options_.publish.dry_run);
      const auto reused = job.made ? job.made->reused : std::string();
      auto logs = builder_for(job.plan, {}, config_, options_.output).logs;
      if (job.error.empty() || !base::exists_at(AT_FDCWD, logs)) {
        logs.clear();
      }
      result_.images.push_back({job.image.name(), source.locate(job.image.path), job.error,
                                added && reused.empty(), reused, std::move(logs)});
      if (!added) {
        continue;
      }
      for (const auto& product : job.plan.products) {
        for (const auto& [item, node] : product.items) {
          result_.items.emplace_back(sstream::Pedigree{product.name, job.plan.version_name, item},
                                     node.at("path").get<std::string>());
        }
      }
    }
  }

  const CloudimgSyncOptions& options_;
  const sstream::Context& context_;
  StreamConfig config_;
  sstream::SourceMemory memory_;
  sstream::Filters filters_;
  DistroInfo info_;
  CloudImageFilter filter_;
  std::optional<ProductTree> target_;
  std::vector<Job> jobs_;
  std::optional<BuildSpace> space_;
  base::FileLock cache_lock_;
  std::string cache_;
  unsigned builds_ = 0;
  CloudimgSyncResult result_;
};

}  // namespace

bool CloudimgSyncResult::failed() const {
  return std::ranges::any_of(images, [](const SyncedImage& image) { return !image.error.empty(); });
}

CloudimgSyncResult cloudimg_sync(const CloudimgSyncOptions& options,
                                 const sstream::Context& context) {
  return Sync(options, context).run();
}

std::vector<std::string> default_arches(const std::string& machine) {
  static const std::map<std::string, std::vector<std::string>> by_machine{
      {"x86_64", {"i386", "amd64", "armhf", "arm64"}},
      {"aarch64", {"arm64", "armhf"}},
      {"armhf", {"armhf"}},
      {"armv7l", {"armhf"}},
      {"ppc64le", {"ppc64el"}},
      {"riscv64", {"riscv64"}},
      {"s390x", {"s390x"}},
      {"i386", {"i386"}},
      {"i586", {"i386"}},
      {"i686", {"i386"}},
  };
  const auto found = by_machine.find(machine);
  return found == by_machine.end() ? std::vector<std::string>() : found->second;
}

}  // namespace meph2

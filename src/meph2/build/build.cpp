#include "meph2/build/build.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "meph2/build/built_tree.h"
#include "meph2/build/made_image.h"
#include "meph2/image/root/detect.h"
#include "meph2/supply/build_space.h"

namespace meph2 {

namespace {

void require_format(const std::string& format) {
  const auto& known = image::image_formats();
  if (!format.empty() && std::ranges::find(known, format) == known.end()) {
    throw base::Error(base::Errc::usage, base::cat("--image-format '", format,
                                                   "': expected one of ", base::join(known, ", ")));
  }
}

/// The array of flat items of --flat-json, in the order of the configuration.
io::Json flat_items(const BuildPlan& plan, const BuiltFiles& files) {
  auto list = io::Json::array();
  for (const auto& product : plan.products) {
    for (const auto& [name, item] : product.items) {
      auto flat = product.tags;
      flat.update(item);
      if (const auto found = files.find(item.at("path").get<std::string>()); found != files.end()) {
        flat["sha256"] = found->second.sha256;
        flat["size"] = found->second.size;
      }
      flat["product_name"] = product.name;
      flat["version_name"] = plan.version_name;
      flat["item_name"] = name;
      list.push_back(std::move(flat));
    }
  }
  return list;
}

/// Whether the builder can publish the source byte for byte; nothing where that takes its content
/// and it is elsewhere, or is nothing that can be told.
std::optional<bool> is_squashfs(const BuildImageOptions& options) {
  if (io::is_http_url(options.source)) {
    const auto& format = options.request.image_format;
    const bool open = format.empty() || format == "auto" || format == "squashfs-image";
    return open ? std::nullopt : std::optional(false);
  }
  auto file = base::open_file(options.source, O_RDONLY);
  try {
    const auto content = image::detect(file, options.source);
    return content == image::Content::compressed_image
               ? std::nullopt
               : std::optional(content == image::Content::squashfs);
  } catch (const base::Error&) {
    return std::nullopt;  // the builder will say what it makes of it
  }
}

/// One run of build_image(): the pieces that its steps share.
class ImageBuild {
 public:
  ImageBuild(const BuildImageOptions& options, const sstream::Context& context)
      : options_(options),
        context_(context),
        config_(read_config(options)),
        info_(DistroInfo::load(config_.distro_info)),
        plan_(make_plan()),
        current_(plan_, builder_for(plan_, options.builder, config_, options.target),
                 options.source, std::nullopt, context) {}

  BuildImageResult run() {
    auto known = find_published();
    if (options_.enable_di.value_or(config_.enable_di) && !has_installer_) {
      base::with_context(base::cat("build ", plan_.name()), [&] {
        InstallerItems(config_, options_.installer, info_, context_).add_to(plan_);
      });
    }
    MadeImage made;
    if (known) {
      made.files = *known;
      context_.log.info(base::cat(plan_.name(), ": published already, not built again"));
    }
    std::optional<BuildSpace> space;
    if (!options_.publish.dry_run && (!known || !plan_.installer_files.empty())) {
      space.emplace(options_.target, options_.publish.lock_timeout, context_);
      auto installer = base::with_context(base::cat("build ", plan_.name()), [&] {
        return fetch_installer_files(plan_, options_.target, space->path(), context_);
      });
      if (!known) {
        made = reuse_or_build(space->path());
      }
      made.add(std::move(installer));
    }
    publish(made);
    record_builds(options_.target, {{plan_.version_name, made.inputs}},
                  options_.publish.lock_timeout, context_);
    if (!options_.flat_json.empty() && !options_.publish.dry_run) {
      base::replace_file(options_.flat_json, io::to_text(flat_items(plan_, made.files)));
    }
    return std::move(result_);
  }

  BuildWhy why(const std::string& product) {
    return why_build(options_.target, config_.content_id, product, current_, context_);
  }

  BuildGraph graph() {
    BuildFacts facts;
    facts.source = options_.source;
    facts.is_squashfs = is_squashfs(options_);
    facts.added_packages =
        !environment("M2E_ADD_PACKAGES").empty() || !environment("M2E_ADD_REPOS").empty();
    if (find_published()) {
      facts.state = StepState::published;
    }
    facts.installer = has_installer_ || options_.enable_di.value_or(config_.enable_di);
    if (has_installer_) {
      facts.installer_state = StepState::published;
    }
    return build_graph(plan_, facts);
  }

 private:
  static StreamConfig read_config(const BuildImageOptions& options) {
    require_format(options.request.image_format);
    return read_stream_config(options.config.empty() ? default_config_path() : options.config);
  }

  BuildPlan make_plan() const {
    config_.require_arch(config_.require_release(options_.request.release), options_.request.arch);
    const auto* release = info_.find(options_.request.release);
    if (release == nullptr) {
      context_.log.warning(
          base::cat("distro-info does not know the release '", options_.request.release,
                    "': its title is its version, its end of support is left out"));
    }
    return plan_build(config_, options_.request, release);
  }

  /// What is published stays as it is, the installer's files included.
  std::optional<BuiltFiles> find_published() {
    if (!base::exists_at(AT_FDCWD, options_.target)) {
      return std::nullopt;
    }
    const sstream::Repository target(options_.target, sstream::Access::read);
    const auto live = sstream::Generation::load(target);
    auto files = published_files(options_.target, live, config_.content_id, plan_);
    has_installer_ =
        files && adopt_installer_items(options_.target, live, config_.content_id, plan_);
    return files;
  }

  MadeImage reuse_or_build(const std::string& space) {
    auto found = options_.reuse
                     ? find_reusable(options_.target, config_.content_id, current_, context_)
                     : std::nullopt;
    if (found) {
      context_.log.info(base::cat(plan_.name(), ": made from the same as ", found->reused,
                                  ": its files are taken"));
      result_.reused = found->reused;
      return std::move(*found);
    }
    auto made = base::with_context(base::cat("build ", plan_.name()), [&] {
      return make_image(current_, options_.source, space, context_);
    });
    result_.stages = std::move(made.stages);
    result_.built = true;
    return made;
  }

  void publish(const MadeImage& made) {
    const auto built = tree_of(plan_, config_.content_id, made.files);
    auto publish_options = options_.publish;
    publish_options.create = true;
    result_.published = sstream::publish(
        options_.target,
        [&](const sstream::Generation& live) {
          sstream::Plan plan;
          plan.files.add(made.new_files);
          auto tree = live.read_tree(config_.content_id);
          auto target = tree ? std::move(*tree)
                             : sstream::ProductTree::make(config_.content_id, "image-downloads");
          const auto changed = add_built_version(built, plan_.version_name, target);
          list_items(changed);
          if (!changed.empty()) {
            settle(target);
            plan.streams.push_back(std::move(target));
          }
          return plan;
        },
        publish_options, context_);
  }

  void list_items(const std::vector<std::string>& products) {
    result_.items.clear();
    for (const auto& product : plan_.products) {
      if (std::ranges::find(products, product.name) == products.end()) {
        continue;
      }
      for (const auto& [item, node] : product.items) {
        result_.items.emplace_back(sstream::Pedigree{product.name, plan_.version_name, item},
                                   node.at("path").get<std::string>());
      }
    }
  }

  const BuildImageOptions& options_;
  const sstream::Context& context_;
  StreamConfig config_;
  DistroInfo info_;
  BuildPlan plan_;
  CurrentInputs current_;
  bool has_installer_ = false;  ///< the version that is published already
  BuildImageResult result_;
};

}  // namespace

BuildImageResult build_image(const BuildImageOptions& options, const sstream::Context& context) {
  return ImageBuild(options, context).run();
}

BuildGraph plan_image(const BuildImageOptions& options, const sstream::Context& context) {
  return ImageBuild(options, context).graph();
}

BuildWhy why_image(const BuildImageOptions& options, const std::string& product,
                   const sstream::Context& context) {
  return ImageBuild(options, context).why(product);
}

}  // namespace meph2

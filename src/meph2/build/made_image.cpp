#include "meph2/build/made_image.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/build/built_tree.h"
#include "meph2/supply/add_versions.h"

namespace meph2 {

namespace {

/// A search through the versions that something is recorded of.
class VersionSearch {
 public:
  VersionSearch(const sstream::Repository& repository, sstream::ProductTree tree,
                CurrentInputs& current, const sstream::Context& context)
      : tree_(std::move(tree)),
        root_(std::filesystem::absolute(repository.path()).string()),
        records_(BuildOrigins::load(repository, context.log)),
        current_(current),
        context_(context) {}

  std::optional<MadeImage> run() {
    const auto& products = current_.plan().products;
    if (products.empty()) {
      return std::nullopt;
    }
    for (const auto& version : records_.versions(products.front().name)) {
      base::check_stop(context_.stop);
      MadeImage found;
      found.reused = version;
      if (same_inputs(found) && take_files(found) && files_are_right(found)) {
        return found;
      }
    }
    return std::nullopt;
  }

 private:
  /// What costs nothing is compared first, and for all products.
  bool same_inputs(MadeImage& found) {
    const auto& products = current_.plan().products;
    return std::ranges::all_of(products,
                               [&](const PlannedProduct& product) {
                                 const auto* recorded = records_.find(product.name, found.reused);
                                 return recorded != nullptr && is_complete(*recorded) &&
                                        recorded->settings == current_.settings(product) &&
                                        has_source(*recorded);
                               }) &&
           std::ranges::all_of(products, [&](const PlannedProduct& product) {
             const auto& recorded = *records_.find(product.name, found.reused);
             found.inputs[product.name] = recorded;
             const auto now = current_.instead_of(recorded, product);
             return is_complete(now.inputs) && digest_of(now.inputs) == digest_of(recorded);
           });
  }

  bool has_source(const BuildInputs& recorded) const {
    const auto& source = current_.source();
    return source && source->sha256 == recorded.source_sha256;
  }

  /// The items of the version in the place of those that would be built.
  bool take_files(MadeImage& found) const {
    const auto& plan = current_.plan();
    for (const auto& product : plan.products) {
      for (const auto& [name, item] : product.items) {
        const auto path = item.at("path").get<std::string>();
        if (std::ranges::find(plan.paths, path) == plan.paths.end()) {
          continue;  // the installer's, which no builder makes
        }
        if (!take_file({product.name, found.reused, name}, path, found)) {
          return false;
        }
      }
    }
    return true;
  }

  bool take_file(const sstream::Pedigree& id, const std::string& path, MadeImage& found) const {
    const auto item = tree_.view(id);
    if (!item) {
      return false;
    }
    const auto old_path = item->path();
    const auto sums = sstream::Checksums::of(*item);
    if (!old_path || sums.sha256.empty()) {
      return false;
    }
    const auto [place, is_new] = found.files.emplace(path, sums);
    if (!is_new) {
      return place->second == sums;
    }
    const auto origin = base::cat(root_, "/", *old_path);
    found.new_files.push_back(
        {.path = path, .expected = sums, .origin = origin, .may_link = is_linkable(origin)});
    return true;
  }

  /// Read whole: a build would mend what is damaged, a publication could only fail.
  bool files_are_right(const MadeImage& found) const {
    for (const auto& file : found.new_files) {
      try {
        sstream::verify_origin(file);
      } catch (const base::Error& error) {
        context_.log.warning(base::cat(found.reused, " cannot be taken: ", error.what()));
        return false;
      }
    }
    return true;
  }

  sstream::ProductTree tree_;
  std::string root_;
  BuildOrigins records_;
  CurrentInputs& current_;
  const sstream::Context& context_;
};

}  // namespace

void MadeImage::add(InstallerFiles installer) {
  files.merge(installer.sums);
  new_files.insert(new_files.end(), installer.files.begin(), installer.files.end());
}

BuilderOptions builder_for(const BuildPlan& plan, BuilderOptions options,
                           const StreamConfig& config, const std::string& repository) {
  options.squashfs_compression = config.squashfs_compression;
  options.root_image_size = config.root_image_size;
  options.stages = stages_of(repository);
  options.logs = logs_of(repository, plan.release, plan.arch, plan.version_name);
  return options;
}

MadeImage make_image(CurrentInputs& current, const std::string& source, const std::string& space,
                     const sstream::Context& context) {
  const auto& plan = current.plan();
  context.log.info(base::cat("building ", plan.name(), " from ", current.source_name()));
  MadeImage made;
  auto before = current.before_build();
  auto image = run_builder(plan, current.builder(), source, space, context);
  for (const auto& [path, sums] : image.files) {
    made.new_files.push_back({.path = path,
                              .expected = sums,
                              .origin = base::cat(space, "/", path),
                              .may_link = true});  // ours to take
  }
  made.files = std::move(image.files);
  if (image.report) {
    made.inputs = std::move(before);
    for (auto& [product, inputs] : made.inputs) {
      static_cast<ReportedInputs&>(inputs) = *image.report;
    }
    made.stages = std::move(image.report->stages);
  }
  return made;
}

std::optional<MadeImage> find_reusable(const std::string& repository, const std::string& content_id,
                                       CurrentInputs& current, const sstream::Context& context) {
  if (!base::exists_at(AT_FDCWD, repository)) {
    return std::nullopt;
  }
  try {
    const sstream::Repository opened(repository, sstream::Access::read);
    auto tree = sstream::Generation::load(opened).read_tree(content_id);
    return tree ? VersionSearch(opened, std::move(*tree), current, context).run() : std::nullopt;
  } catch (const base::Error& error) {
    context.log.warning(base::cat("compare with earlier builds: ", error.what(), "; building"));
    return std::nullopt;
  }
}

}  // namespace meph2

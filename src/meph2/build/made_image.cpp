#include "meph2/build/made_image.h"

#include "base/strings.h"
#include "meph2/build/built_tree.h"

namespace meph2 {

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
  made.new_files = files_below(space, image.files);
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

}  // namespace meph2

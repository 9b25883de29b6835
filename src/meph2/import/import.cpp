#include "meph2/import/import.h"

#include <algorithm>

#include "meph2/import/bootloaders.h"
#include "meph2/import/image_index.h"
#include "meph2/import/notification.h"
#include "meph2/import/packer.h"
#include "meph2/import/workshop.h"

namespace meph2 {

namespace {

using import::NewVersion;

ImportResult publish_versions(const std::vector<NewVersion>& versions, const ImportOptions& options,
                              const sstream::Context& context) {
  ImportResult result;
  result.items = import::items_of(versions);
  const bool all_planned =
      std::ranges::all_of(versions, [](const NewVersion& each) { return each.only_planned; });
  if (!all_planned) {
    result.published = publish_added(
        options.target,
        [&](const sstream::Generation& live) { return import::plan_versions(versions, live); },
        options.publish, context);
  }
  return result;
}

}  // namespace

ImportResult import_into(const ImportOptions& options, const sstream::Context& context) {
  import::Workshop workshop(options.target, options.publish, options.force, context);
  if (options.config.empty()) {
    return publish_versions(import::import_artefact(options.artefact, workshop), options, context);
  }
  const auto config = import::read_import_config(options.config, options.proposed);
  if (config.notification) {
    return publish_versions(import::import_notification(config, workshop), options, context);
  }
  if (config.packer) {
    return publish_versions(import::import_packer(config, workshop), options, context);
  }
  if (config.image_index) {
    return publish_versions(import::import_image_index(config, options.max, workshop), options,
                            context);
  }
  import::BootloaderImport bootloaders(config, options.keyring, workshop);
  auto result = publish_versions(bootloaders.run(), options, context);
  if (!options.publish.dry_run) {
    bootloaders.save();
  }
  return result;
}

}  // namespace meph2

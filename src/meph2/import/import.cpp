#include "meph2/import/import.h"

#include <algorithm>

#include "meph2/import/bootloaders.h"
#include "meph2/import/image_index.h"
#include "meph2/import/notification.h"
#include "meph2/import/packer.h"
#include "meph2/import/workshop.h"

namespace meph2 {

ImportResult import_into(const ImportOptions& options, const sstream::Context& context) {
  import::Workshop workshop(options.target, options.publish, options.force, context);
  const auto publish = [&](const std::vector<import::NewVersion>& versions) {
    ImportResult result{.items = import::items_of(versions), .published = {}};
    if (!std::ranges::all_of(versions, &import::NewVersion::only_planned)) {
      result.published = publish_added(
          options.target,
          [&](const sstream::Generation& live) { return import::plan_versions(versions, live); },
          options.publish, context);
    }
    return result;
  };
  if (options.config.empty()) {
    return publish(import::import_artefact(options.artefact, workshop));
  }
  const auto config = import::read_import_config(options.config, options.proposed);
  if (!config.notification.is_null()) {
    return publish(import::import_notification(config, workshop));
  }
  if (config.packer) {
    return publish(import::import_packer(config, workshop));
  }
  if (config.image_index) {
    return publish(import::import_image_index(config, options.max, workshop));
  }
  import::BootloaderImport bootloaders(config, options.keyring, workshop);
  auto result = publish(bootloaders.run());
  if (!options.publish.dry_run) {
    bootloaders.save();
  }
  return result;
}

}  // namespace meph2

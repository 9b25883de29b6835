#include "meph2/import/notification.h"

#include "base/strings.h"

namespace meph2::import {

namespace {

constexpr const char* notification_item = "release_notification";
constexpr const char* datatype = "release-notifications";
constexpr const char* notification_directory = "release-notifications";
/// The form demands a file; nobody reads it (the established tools' own words).
constexpr const char* unused = "This file is unused.";

bool is_published(const ImportConfig& config, Workshop& workshop) {
  const auto newest = workshop.newest_version(config.content_id, config.product_id);
  const auto* item =
      newest.empty()
          ? nullptr
          : workshop.live(config.content_id)->item({config.product_id, newest, notification_item});
  return item != nullptr && item->value(notification_item, io::Json()) == config.notification;
}

}  // namespace

std::vector<NewVersion> import_notification(const ImportConfig& config, Workshop& workshop) {
  if (!workshop.force() && is_published(config, workshop)) {
    workshop.context().log.info(base::cat(config.product_id, ": published already"));
    return {};
  }
  NewVersion version;
  version.content_id = config.content_id;
  version.datatype = datatype;
  version.product = config.product_id;
  version.product_tags = {{"arch", "all"},
                          {"label", "candidate"},
                          {"name", "release-notifications"},
                          {"release", "notifications"}};
  version.version =
      workshop.next_version(config.content_id, config.product_id, notification_directory, ".0");
  const auto origin = workshop.new_path("release-notification.yaml");
  const auto sums = write_file(origin, unused);
  version.add(notification_item,
              base::cat(notification_directory, "/", version.version, "/release-notification.yaml"),
              {{"ftype", "notifications"}, {notification_item, config.notification}}, sums, origin);
  return {version};
}

}  // namespace meph2::import

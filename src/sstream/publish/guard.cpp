#include "sstream/publish/guard.h"

#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

[[noreturn]] void refuse_publication(const std::string& reason) {
  throw base::Error(base::Errc::refused, reason);
}

}  // namespace

void check_shrink(const GuardRails& rails, const std::string& content_id,
                  const StreamSummary& before, const StreamSummary& after) {
  if (!rails.enforced) {
    return;
  }
  for (const auto& [product, count] : before.versions) {
    if (count > 0 && !after.versions.contains(product) && !rails.allow_drop.contains(product)) {
      refuse_publication(base::cat(content_id, ": product ", product,
                                   " would disappear; name it with --allow-drop ", product,
                                   " if that is meant"));
    }
  }
  if (rails.allow_shrink || before.version_count() == 0) {
    return;
  }
  if (after.version_count() == 0) {
    refuse_publication(base::cat(
        content_id, ": nothing would be left in the stream; --allow-shrink if that is meant"));
  }
  const auto lost_half = [](std::size_t old_count, std::size_t new_count) {
    return new_count * 2 < old_count;
  };
  if (lost_half(before.version_count(), after.version_count()) ||
      lost_half(before.versions.size(), after.versions.size())) {
    refuse_publication(base::cat(content_id, ": ", before.versions.size(), " products with ",
                                 before.version_count(), " versions would shrink to ",
                                 after.versions.size(), " with ", after.version_count(),
                                 "; --allow-shrink if that is meant"));
  }
}

}  // namespace sstream

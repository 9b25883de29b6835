#include <algorithm>

#include "base/strings.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace profile;
using namespace sstream::lint;

namespace {

/// Juju looks at nothing else.
bool has_ids(const ProductsFile& file) {
  const auto* datatype = file.text("datatype");
  return datatype != nullptr && *datatype == "image-ids";
}

bool is_cloud(const Json& cloud) {
  return text_of(member(cloud, "region")) != nullptr &&
         text_of(member(cloud, "endpoint")) != nullptr;
}

/// Where there are none it is any cloud.
void clouds(const Entry& entry, const Emit& emit) {
  const auto* list = entry.find("clouds");
  if (list != nullptr &&
      (!list->is_array() || list->empty() || !std::all_of(list->begin(), list->end(), is_cloud))) {
    emit(entry.place("clouds"), "is no list of objects with region and endpoint");
  }
}

/// com.ubuntu.cloud[.STREAM]:server:VERSION:ARCH
bool is_product_id(const std::string& name) {
  const auto parts = base::split(name, ':');
  return parts.size() == 4 &&
         (parts[0] == "com.ubuntu.cloud" || parts[0].starts_with("com.ubuntu.cloud.")) &&
         parts[1] == "server" && !parts[2].empty() && !parts[3].empty();
}

void product_id(const Product& product, const Emit& emit) {
  if (has_ids(*product.file) && !is_product_id(product.name)) {
    emit(product.place(), "is not of the form com.ubuntu.cloud[.STREAM]:server:VERSION:ARCH");
  }
}

void item_fields(const Item& item, const Emit& emit) {
  if (!has_ids(*item.version->product->file)) {
    return;
  }
  for (const char* key : {"id", "region", "virt", "root_store"}) {
    const bool crsn = std::string_view(key) == "region" && item.inherited("crsn") != nullptr;
    if (!crsn || item.inherited(key) != nullptr) {
      require_text(item, key, emit);
    }
  }
}

}  // namespace

Rules juju_readers() {
  return {
      // docs/format.md 6.54
      {"juju-clouds",
       "'clouds' of an index entry is a list of region and endpoint",
       {juju},
       "'no image metadata found': the entry matches no cloud.",
       "Write [{\"region\": ..., \"endpoint\": ...}], or leave it out for any cloud.",
       clouds},
      // docs/format.md 6.54
      {"juju-product-id",
       "products are called com.ubuntu.cloud[.STREAM]:server:VERSION:ARCH",
       {juju},
       "'no image metadata found': Juju computes the name and looks for just that.",
       "Name the product so.",
       product_id},
      // docs/format.md 6.54
      {"juju-item",
       "each image has id, region (or crsn), virt and root_store, as strings",
       {juju},
       "The image matches no constraint: 'no image metadata found'.",
       "Write them on the item, or above it.",
       item_fields},
  };
}

}  // namespace meph2::rules

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
  const auto has = [&](const char* key) {
    const auto at = cloud.find(key);
    return at != cloud.end() && at->is_string();
  };
  return cloud.is_object() && has("region") && has("endpoint");
}

Check clouds() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    if (index.entries() == nullptr) {
      return;
    }
    for (const auto& [name, entry] : index.entries()->get_ref<const Json::object_t&>()) {
      const auto at = entry.is_object() ? entry.find("clouds") : entry.end();
      if (!entry.is_object() || at == entry.end()) {
        continue;  // any cloud
      }
      if (!at->is_array() || at->empty() || !std::all_of(at->begin(), at->end(), is_cloud)) {
        emit(index.place().below("index").below(name).below("clouds"),
             "is no list of objects with region and endpoint");
      }
    }
  });
}

/// com.ubuntu.cloud[.STREAM]:server:VERSION:ARCH
bool is_product_id(const std::string& name) {
  const auto parts = base::split(name, ':');
  return parts.size() == 4 &&
         (parts[0] == "com.ubuntu.cloud" || parts[0].starts_with("com.ubuntu.cloud.")) &&
         parts[1] == "server" && !parts[2].empty() && !parts[3].empty();
}

Check product_id() {
  return on_product([](const Product& product, const Emit& emit) {
    if (has_ids(*product.file) && !is_product_id(product.name)) {
      emit(product.place(), "is not of the form com.ubuntu.cloud[.STREAM]:server:VERSION:ARCH");
    }
  });
}

Check item_fields() {
  return on_item([](const Item& item, const Emit& emit) {
    if (!has_ids(*item.version->product->file)) {
      return;
    }
    for (const char* key : {"id", "region", "virt", "root_store"}) {
      const bool crsn = std::string_view(key) == "region" && item.inherited("crsn") != nullptr;
      const auto* value = item.inherited(key);
      if (value == nullptr && !crsn) {
        emit(item.place(), base::cat("'", key, "' is missing"));
      } else if (value != nullptr && !value->is_string()) {
        emit(item.place(key), wrong_type(*value, "string"));
      }
    }
  });
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

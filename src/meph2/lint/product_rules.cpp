#include <array>

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

constexpr std::array<const char*, 9> product_keys = {"arch",          "os",        "release",
                                                     "release_title", "version",   "label",
                                                     "subarch",       "subarches", "kflavor"};
constexpr std::array<const char*, 4> item_keys = {"ftype", "path", "sha256", "size"};

/// LXD and Incus know the first five, and a label of versions.
Profiles readers_of(std::string_view key) {
  const bool maas_only =
      key == "label" || key == "subarch" || key == "subarches" || key == "kflavor";
  return maas_only ? maas : all_profiles;
}

void top_level(const ProductsFile& file, const Emit& emit) {
  const auto look = [&](const auto& keys, const char* where) {
    for (const char* key : keys) {
      if (file.tags.find(key) != nullptr) {
        emit(file.place().below(key), base::cat("belongs on the ", where), readers_of(key));
      }
    }
  };
  look(product_keys, "product");
  look(item_keys, "item");
}

/// Product keys that stand below the product only, and item keys above an item that lacks them.
void lower_levels(const Version& version, const Emit& emit) {
  const auto& product = *version.product;
  const bool first = product.versions.size() == 1;
  for (const char* key : product_keys) {
    if (first && product.tags.find(key) == nullptr && version.tags.find(key) != nullptr) {
      emit(version.place().below(key), "belongs on the product", readers_of(key));
    }
  }
  for (const char* key : item_keys) {
    const bool above = version.tags.find(key) != nullptr || product.tags.find(key) != nullptr;
    if (!above) {
      continue;
    }
    for (const auto& item : version) {
      if (item.tags.find(key) == nullptr) {
        emit(item.place(), base::cat("'", key, "' stands on a level above"));
        break;
      }
    }
  }
}

Check hoisted() {
  Check check(top_level);
  check.version = lower_levels;
  return check;
}

/// An arch anywhere: on another level than the product's it is hoisted-keys that tells.
void arch(const Version& version, const Emit& emit) {
  const auto& product = *version.product;
  if (product.versions.size() == 1 && product.tags.find("arch") == nullptr &&
      version.tags.find("arch") == nullptr && product.file->tags.find("arch") == nullptr) {
    emit(product.place(), "'arch' is missing",
         product.kind != maas_none ? all_profiles : lxd | incus);
  }
}

}  // namespace

Rules products() {
  return {
      // docs/format.md 6.20, 6.22
      {engine::products_structure,
       "products, versions and items are objects",
       {all},
       "The whole file is refused by readers with types; the Python tools end with a traceback.",
       "Repair the file at the place named; `meph2-util history` and `rollback` have the last good "
       "one."},
      // docs/format.md 6.20
      {"products-format",
       "a products file says format products:1.0",
       {maas_classic | juju | simplestreams},
       "TypeError: Unknown format; the import of all sources stops.",
       "Set it, then `meph2-util sign DIR`.",
       check_products_format},
      // docs/format.md 6.20, 6.21
      {"products-content-id",
       "a products file has a content id",
       {maas | maas_classic | juju | simplestreams},
       "MAAS 3.8 refuses the source, older MAAS and the Python tools end with a KeyError.",
       "Set it, then `meph2-util sign DIR`.",
       check_products_content_id},
      // docs/format.md 6.21
      {"products-datatype",
       "a products file has a datatype",
       {maas, simplestreams},
       "MAAS 3.8 refuses the source.",
       "Set it, mostly to image-downloads, then `meph2-util sign DIR`.",
       check_products_datatype},
      // docs/format.md 6.21
      {"products-updated",
       "a products file has 'updated', RFC 2822 with a numeric zone",
       {maas, simplestreams},
       "MAAS 3.8 refuses the source.",
       "`meph2-util sign DIR` sets it where content changes.",
       check_products_updated},
      // docs/format.md 6.22
      {"products-empty",
       "a products file has products, each with versions, each with items",
       {maas, maas_classic | simplestreams | juju},
       "MAAS 3.8 refuses the source: what is left empty after pruning is no model it knows.",
       "`meph2-util remove-version` and `clean-md` take empty products out; drop the products file "
       "that has none left.",
       check_products_empty},
      // docs/format.md 6.24
      {"aliases-used",
       "no _aliases",
       {maas | lxd | incus},
       "Only the Python tools and Juju expand them: fields are missing to everybody else.",
       "Publish products written out in full.",
       check_aliases},
      // docs/format.md 6.24
      {"hoisted-keys",
       "each level carries its own tags: products theirs, items ftype, path, sha256 and size",
       {maas | lxd | incus},
       "Readers that do not inherit (MAAS 3.8, LXD, Incus) miss the field: the source is refused, "
       "the image skipped.",
       "Write the tag on each product (item) itself; `meph2-util promote` and `insert` keep it "
       "there.",
       hoisted},
      // docs/format.md 6.25
      {"product-arch",
       "each product has an arch",
       {maas | maas_classic | lxd | incus},
       "MAAS 3.8 refuses the source, older MAAS ends with a KeyError, LXD and Incus skip the "
       "product.",
       "Set it with `meph2-util patch`.",
       arch},
      // docs/format.md 6.43
      {"version-order",
       "version names sort as strings in the order of time",
       {all},
       "Every consumer takes the highest string for the newest: 9 beats 10, and .10 comes before "
       ".9, so that an old image is deployed.",
       "Pad serials (20260101.02), or begin a new day.",
       check_version_order},
      // docs/format.md 6.43
      {"version-style",
       "the versions of a product are named in one style",
       {0, all},
       "A name of another style sorts before or behind all others for ever.",
       "`meph2-util copy-version` and `remove-version` rename.",
       check_version_style},
      // docs/format.md 6.43
      {"version-serial",
       "no serial of more than one digit",
       {0, 0, all},
       "20260101.10 sorts before 20260101.2.",
       "Pad serials, or begin a new day.",
       check_version_serial},
  };
}

}  // namespace meph2::rules

#include "meph2/lint/container_checks.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "base/strings.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace sstream::lint;

namespace {

std::vector<std::string> aliases_of(const Product& product) {
  const auto* text = product.tags.text("aliases");
  return base::split_list(text != nullptr ? *text : "", ',');
}

bool is_string_map(const Json& value) {
  return value.is_object() &&
         std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
}

void require_type(const Tags& tags, const Place& place, std::initializer_list<const char*> keys,
                  bool (*good)(const Json&), const char* wanted, const Emit& emit) {
  for (const char* key : keys) {
    const auto* value = tags.find(key);
    if (value != nullptr && !value->is_null() && !good(*value)) {
      emit(place.below(key), wrong_type(*value, wanted));
    }
  }
}

bool is_string(const Json& value) {
  return value.is_string();
}

bool is_bool(const Json& value) {
  return value.is_boolean();
}

void product_types(const Product& product, const Emit& emit) {
  if (!containers_read(*product.file)) {
    return;
  }
  require_type(product.tags, product.place(),
               {"os", "release", "release_title", "version", "arch", "aliases", "support_eol",
                "variant", "release_codename"},
               is_string, "string", emit);
  require_type(product.tags, product.place(), {"supported"}, is_bool, "boolean", emit);
  require_type(product.tags, product.place(), {"requirements", "lxd_requirements"}, is_string_map,
               "object of strings", emit);
}

void item_types(const Item& item, const Emit& emit) {
  if (containers_read(*item.version->product->file)) {
    require_type(item.tags, item.place(), {"ftype", "path", "md5", "sha256", "delta_base"},
                 is_string, "string", emit);
  }
}

/// "20260101", and a day that exists.
bool begins_with_date(const std::string& name) {
  constexpr std::size_t length = 8;
  const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
  if (digits < length) {
    return false;
  }
  const auto part = [&](std::size_t at, std::size_t count) {
    return static_cast<unsigned>(base::parse_decimal(name.substr(at, count)).value_or(0));
  };
  return std::chrono::year_month_day(std::chrono::year(static_cast<int>(part(0, 4))),
                                     std::chrono::month(part(4, 2)), std::chrono::day(part(6, 2)))
      .ok();
}

}  // namespace

Check lxd_types() {
  Check check = on_product(product_types);
  check.item = item_types;
  check.version = [](const Version& version, const Emit& emit) {
    if (containers_read(*version.product->file)) {
      require_type(version.tags, version.place(), {"label", "pubname"}, is_string, "string", emit);
    }
  };
  check.head = [](const ProductsFile& file, const Emit& emit) {
    if (containers_read(file)) {
      require_type(file.tags, file.place(),
                   {"content_id", "datatype", "format", "license", "updated"}, is_string, "string",
                   emit);
    }
  };
  return check;
}

Check lxd_arch() {
  return on_product([](const Product& product, const Emit& emit) {
    static const std::set<std::string> known = {
        "amd64", "x86_64", "i386",   "i686",    "arm64",   "aarch64",     "armhf",  "armv7l",
        "armel", "armv6l", "armv8l", "ppc64el", "ppc64le", "powerpc",     "ppc64",  "ppc",
        "s390x", "mips",   "mips64", "riscv32", "riscv64", "loongarch64", "loong64"};
    const auto* arch = product.tags.text("arch");
    if (containers_read(*product.file) && arch != nullptr && !known.contains(*arch)) {
      emit(product.place("arch"), in_quotes(*arch) + " is no architecture that is known there");
    }
  });
}

Check lxd_aliases() {
  return on_product([](const Product& product, const Emit& emit) {
    const auto* text = product.tags.text("aliases");
    if (containers_read(*product.file) && text != nullptr &&
        text->find_first_of(" \t") != text->npos) {
      emit(product.place("aliases"), in_quotes(*text) + " has blanks");
    }
  });
}

Check lxd_alias_unique() {
  auto owners = std::make_shared<std::map<std::string, std::string>>();
  Check check;
  check.product = [owners](const Product& product, const Emit& emit) {
    const auto* arch = product.tags.text("arch");
    if (!containers_read(*product.file) || arch == nullptr) {
      return;
    }
    // Containers and virtual machines have names of their own; a product of both owns both.
    for (const auto& alias : aliases_of(product)) {
      const auto [at, added] = owners->emplace(base::cat(alias, "\n", *arch), product.name);
      if (!added && at->second != product.name) {
        emit(product.place("aliases"),
             base::cat("alias ", in_quotes(alias), " for ", *arch, " is that of ",
                       in_quotes(at->second), " as well"));
      }
    }
  };
  return check;
}

Check lxd_version_date() {
  return on_version([](const Version& version, const Emit& emit) {
    if (containers_read(*version.product->file) && !begins_with_date(version.name)) {
      emit(version.place(), "its name does not begin with a date (YYYYMMDD)");
    }
  });
}

Check lxd_delta_base() {
  // Bases may come behind their deltas.
  struct Delta {
    std::string version;
    std::string item;
    std::string base;
  };

  auto deltas = std::make_shared<std::vector<Delta>>();
  Check check;
  check.item = [deltas](const Item& item, const Emit&) {
    if (const auto* base = item.text("delta_base")) {
      deltas->push_back({item.version->name, item.name, *base});
    }
  };
  check.product = [deltas](const Product& product, const Emit& emit) {
    for (const auto& delta : *deltas) {
      const auto& names = product.versions;
      if (std::find(names.begin(), names.end(), delta.base) == names.end()) {
        emit(Place(product.file->file, {"products", product.name, "versions", delta.version,
                                        "items", delta.item, "delta_base"}),
             base::cat("there is no version ", in_quotes(delta.base)));
      }
    }
    deltas->clear();
  };
  return check;
}

Check incus_vm_delta() {
  return on_item([](const Item& item, const Emit& emit) {
    const auto* ftype = item.text("ftype");
    if (ftype != nullptr && *ftype == "disk-kvm.img.vcdiff") {
      emit(item.place("ftype"), "a delta of a virtual machine");
    }
  });
}

}  // namespace meph2::rules

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
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

Check lxd_types() {
  Check check(product_types);
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

void lxd_arch(const Product& product, const Emit& emit) {
  static const std::set<std::string> known = {
      "amd64", "x86_64", "i386",   "i686",    "arm64",   "aarch64",     "armhf",  "armv7l",
      "armel", "armv6l", "armv8l", "ppc64el", "ppc64le", "powerpc",     "ppc64",  "ppc",
      "s390x", "mips",   "mips64", "riscv32", "riscv64", "loongarch64", "loong64"};
  const auto* arch = product.tags.text("arch");
  if (containers_read(*product.file) && arch != nullptr && !known.contains(*arch)) {
    emit(product.place("arch"), in_quotes(*arch) + " is no architecture that is known there");
  }
}

void lxd_aliases(const Product& product, const Emit& emit) {
  const auto* text = product.tags.text("aliases");
  if (containers_read(*product.file) && text != nullptr &&
      text->find_first_of(" \t") != text->npos) {
    emit(product.place("aliases"), in_quotes(*text) + " has blanks");
  }
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

void lxd_version_date(const Version& version, const Emit& emit) {
  constexpr std::size_t length = 8;
  if (containers_read(*version.product->file) &&
      !base::parse_day(std::string_view(version.name).substr(0, length))) {
    emit(version.place(), "its name does not begin with a date (YYYYMMDD)");
  }
}

}  // namespace

Rules container_products() {
  return {
      // docs/format.md 6.49
      {"lxd-types",
       "values have the types that LXD and Incus expect",
       {lxd | incus},
       "Both decode into typed structures: one value of another type, anywhere, hides every image "
       "of the remote behind an error.",
       "version, aliases and dates are strings, supported a boolean, requirements an object of "
       "strings, size an integer.",
       lxd_types},
      // docs/format.md 6.25
      {"lxd-arch",
       "arch is a name that LXD and Incus know",
       {0, lxd | incus},
       "The product is skipped silently.",
       "Use Debian's or the kernel's name of it: amd64, x86_64, arm64, aarch64, ...",
       lxd_arch},
      // docs/format.md 6.27
      {"aliases-blank",
       "aliases are separated by commas without blanks",
       {0, lxd | incus},
       "The blank becomes part of the alias, which nobody can type.",
       "Take the blanks away.",
       lxd_aliases},
      // docs/format.md 6.48
      {"alias-unique",
       "an alias belongs to one product of each architecture",
       {0, lxd | incus},
       "The first product in the order of names has it; the other is found by fingerprint only.",
       "Take the alias from one of the two.",
       lxd_alias_unique},
      // docs/format.md 6.44
      {"lxd-version-date",
       "version names begin with a date (YYYYMMDD)",
       {lxd | incus},
       "The version is missing without a word.",
       "Name versions by date: 20260101, 20260101_07:42.",
       lxd_version_date},
  };
}

}  // namespace meph2::rules

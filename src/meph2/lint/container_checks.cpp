#include "meph2/lint/container_checks.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "base/strings.h"
#include "meph2/lint/marks.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace sstream::lint;

namespace {

/// A root file system, the keys of the metadata item that may hold its combined fingerprint, and
/// whether it is a virtual machine's.
struct RootItem {
  const char* ftype;
  std::array<const char*, 2> keys;
  bool machine;
};

constexpr std::array<RootItem, 5> roots = {{
    {"squashfs", {"combined_squashfs_sha256", nullptr}, false},
    {"root.tar.xz", {"combined_rootxz_sha256", "combined_sha256"}, false},
    {"disk-kvm.img", {"combined_disk-kvm-img_sha256", nullptr}, true},
    {"disk1.img", {"combined_disk1-img_sha256", nullptr}, true},
    {"uefi1.img", {"combined_uefi1-img_sha256", nullptr}, true},
}};

/// What one of the two reads.
struct Reader {
  const char* metadata;
  const char* unified;
};

constexpr Reader lxd_reader = {"lxd.tar.xz", "lxd_combined.tar.gz"};
constexpr Reader incus_reader = {"incus.tar.xz", "incus_combined.tar.gz"};

/// Neither LXD nor Incus looks at any other file.
bool is_read(const ProductsFile& file) {
  const auto* datatype = file.text("datatype");
  if (file.listed != nullptr && file.listed->is_object()) {
    const auto at = file.listed->find("datatype");
    if (at != file.listed->end() && at->is_string()) {
      return *at == "image-downloads";
    }
  }
  return datatype != nullptr && *datatype == "image-downloads";
}

bool is_read(const Version& version) {
  return is_read(*version.product->file);
}

const Item* with_ftype(const Version& version, std::string_view ftype) {
  for (const auto& item : version) {
    const auto* text = item.text("ftype");
    if (text != nullptr && *text == ftype) {
      return &item;
    }
  }
  return nullptr;
}

bool has_root(const Version& version) {
  return std::any_of(roots.begin(), roots.end(),
                     [&](const RootItem& root) { return with_ftype(version, root.ftype); });
}

bool has_unified(const Version& version) {
  return with_ftype(version, lxd_reader.unified) != nullptr ||
         with_ftype(version, incus_reader.unified) != nullptr;
}

void require_metadata(const Version& version, const Reader& reader, const Emit& emit) {
  if (is_read(version) && version.item_count > 0 && !with_ftype(version, reader.metadata) &&
      !with_ftype(version, reader.unified)) {
    emit(version.place(), base::cat("has no item with ftype ", reader.metadata));
  }
}

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
  if (!is_read(*product.file)) {
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
  if (is_read(*item.version->product->file)) {
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
    if (is_read(version)) {
      require_type(version.tags, version.place(), {"label", "pubname"}, is_string, "string", emit);
    }
  };
  check.head = [](const ProductsFile& file, const Emit& emit) {
    if (is_read(file)) {
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
    if (is_read(*product.file) && arch != nullptr && !known.contains(*arch)) {
      emit(product.place("arch"), in_quotes(*arch) + " is no architecture that is known there");
    }
  });
}

Check lxd_aliases() {
  return on_product([](const Product& product, const Emit& emit) {
    const auto* text = product.tags.text("aliases");
    if (is_read(*product.file) && text != nullptr && text->find_first_of(" \t") != text->npos) {
      emit(product.place("aliases"), in_quotes(*text) + " has blanks");
    }
  });
}

Check lxd_alias_unique() {
  auto owners = std::make_shared<std::map<std::string, std::string>>();
  Check check;
  check.product = [owners](const Product& product, const Emit& emit) {
    const auto* arch = product.tags.text("arch");
    if (!is_read(*product.file) || arch == nullptr) {
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
    if (is_read(version) && !begins_with_date(version.name)) {
      emit(version.place(), "its name does not begin with a date (YYYYMMDD)");
    }
  });
}

Check lxd_metadata_item() {
  return on_version([](const Version& version, const Emit& emit) {
    require_metadata(version, lxd_reader, emit);
  });
}

Check incus_metadata_item() {
  return on_version([](const Version& version, const Emit& emit) {
    require_metadata(version, incus_reader, emit);
  });
}

Check lxd_root_item() {
  return on_version([](const Version& version, const Emit& emit) {
    if (is_read(version) && version.item_count > 0 && !has_root(version) && !has_unified(version)) {
      emit(version.place(), "has no root file system (squashfs, root.tar.xz, disk-kvm.img, ...)");
    }
  });
}

Check lxd_combined() {
  return on_version([](const Version& version, const Emit& emit) {
    for (const auto* reader : {&lxd_reader, &incus_reader}) {
      const auto* metadata = with_ftype(version, reader->metadata);
      if (!is_read(version) || metadata == nullptr) {
        continue;
      }
      for (const auto& root : roots) {
        const bool held = metadata->tags.find(root.keys[0]) != nullptr ||
                          (root.keys[1] != nullptr && metadata->tags.find(root.keys[1]) != nullptr);
        if (with_ftype(version, root.ftype) != nullptr && !held) {
          emit(metadata->place(), base::cat("'", root.keys[0], "' is missing"),
               reader == &lxd_reader ? marks::lx : marks::in);
        }
      }
    }
  });
}

Check lxd_combined_form() {
  return on_item([](const Item& item, const Emit& emit) {
    for (const auto& [key, value] : item.tags) {
      const bool combined = key.starts_with("combined_") && key.ends_with("sha256");
      if (combined && is_read(*item.version->product->file) &&
          (!value.is_string() || !is_sha256(value.get_ref<const std::string&>()))) {
        emit(item.place(key), "is not 64 lower-case hexadecimal digits");
      }
    }
  });
}

Check lxd_fingerprints() {
  // By reader: LXD does not see the items of Incus.
  auto owners = std::make_shared<std::map<std::string, std::string>>();
  Check check;
  check.item = [owners](const Item& item, const Emit& emit) {
    const auto* ftype = item.text("ftype");
    if (ftype == nullptr || !is_read(*item.version->product->file)) {
      return;
    }
    for (const auto* reader : {&lxd_reader, &incus_reader}) {
      const bool unified = *ftype == reader->unified;
      if (!unified && *ftype != reader->metadata) {
        continue;
      }
      for (const auto& [key, value] : item.tags) {
        const bool counts =
            unified ? key == "sha256" : key.starts_with("combined_") && key.ends_with("sha256");
        if (!counts || !value.is_string()) {
          continue;
        }
        const auto owner = base::cat(item.version->product->name, " ", item.version->name);
        const auto [at, added] = owners->emplace(
            base::cat(reader->metadata, value.get_ref<const std::string&>()), owner);
        if (!added && at->second != owner) {
          emit(item.place(key), base::cat("is that of ", in_quotes(at->second), " as well"),
               reader == &lxd_reader ? marks::lx : marks::in);
        }
      }
    }
  };
  return check;
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

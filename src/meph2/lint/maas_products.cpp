#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/strings.h"
#include "meph2/config/distro_info.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace profile;
using namespace sstream::lint;

namespace {

bool is_image(const Product& product) {
  return product.kind == maas_multi || product.kind == maas_single;
}

/// On the product or anywhere above or below it (then another rule says that it stands wrong).
bool anywhere(const Version& version, const char* key) {
  const auto& product = *version.product;
  return product.tags.find(key) != nullptr || version.tags.find(key) != nullptr ||
         product.file->tags.find(key) != nullptr;
}

void require_tags(const Version& version, std::initializer_list<const char*> keys,
                  const Emit& emit) {
  if (version.product->versions.size() != 1) {
    return;  // once for each product
  }
  for (const char* key : keys) {
    if (!anywhere(version, key)) {
      emit(version.product->place(), base::cat("'", key, "' is missing"));
    }
  }
}

/// "20", "32" or "255" characters of the texts that become columns.
void limit(const Product& product, const char* key, std::size_t most, const Emit& emit) {
  const auto* text = product.tags.text(key);
  if (text != nullptr && text->size() > most) {
    emit(product.place(key),
         base::cat("has ", text->size(), " characters, at most ", most, " fit"));
  }
}

bool is_date(const std::string& text) {
  constexpr std::size_t length = 10;
  return text.size() == length && text[4] == '-' && text[7] == '-' &&
         base::parse_day(base::replace_all(text, "-", "")).has_value();
}

bool has_blank(const std::string& text) {
  return text.find_first_of(" \t") != text.npos;
}

std::optional<DistroInfo> ubuntu_releases() {
  try {
    return DistroInfo::load("ubuntu.csv");
  } catch (const base::Error&) {
    return std::nullopt;  // the package is not there: what is a release is not known
  }
}

Check maas_foreign_file() {
  Check check;
  check.tail = [](const ProductsFile& file, const Emit& emit) {
    if (file.kinds == std::set<int>{maas_none} && !file.ftypes.contains("notifications")) {
      emit(file.place(), "holds no product of MAAS");
    }
  };
  return check;
}

Check maas_one_shape() {
  Check check;
  check.tail = [](const ProductsFile& file, const Emit& emit) {
    if (file.kinds.size() > 1) {
      emit(file.place().below("products"),
           file.kinds.contains(maas_none) ? "holds products of MAAS and others"
                                          : "mixes bootloaders, images of many files and of one");
    }
  };
  return check;
}

void maas_label(const Version& version, const Emit& emit) {
  if (version.product->kind != maas_none) {
    require_tags(version, {"label"}, emit);
  }
}

void maas_os(const Version& version, const Emit& emit) {
  if (version.product->kind != maas_none) {
    require_tags(version, {"os"}, emit);
  }
}

void maas_release(const Version& version, const Emit& emit) {
  if (is_image(*version.product)) {
    require_tags(version, {"release"}, emit);
  }
}

void maas_product_keys(const Version& version, const Emit& emit) {
  if (is_image(*version.product)) {
    require_tags(version, {"release_title", "version", "subarch", "subarches"}, emit);
  }
}

void maas_strings(const Product& product, const Emit& emit) {
  if (product.kind == maas_none) {
    return;
  }
  for (const char* key :
       {"arch", "label", "os", "release", "release_title", "version", "subarch", "subarches",
        "kflavor", "krel", "release_codename", "bootloader-type", "arches"}) {
    const auto* value = product.tags.find(key);
    if (value != nullptr && !value->is_string()) {
      emit(product.place(key), wrong_type(*value, "string"));
    }
  }
}

void maas_subarches(const Product& product, const Emit& emit) {
  const auto* text = product.tags.text("subarches");
  if (product.kind != maas_none && text != nullptr && has_blank(*text)) {
    emit(product.place("subarches"), in_quotes(*text) + " has blanks");
  }
}

void maas_kflavor(const Version& version, const Emit& emit) {
  if (version.product->kind == maas_multi) {
    require_tags(version, {"kflavor"}, emit);
  }
}

void maas_kflavor_doubled(const Product& product, const Emit& emit) {
  const auto* flavor = product.tags.text("kflavor");
  const auto* subarch = product.tags.text("subarch");
  if (product.kind == maas_multi && flavor != nullptr && subarch != nullptr &&
      *flavor != "generic" && subarch->ends_with("-" + *flavor)) {
    emit(product.place("subarch"),
         base::cat(in_quotes(*subarch), " ends with kflavor ", in_quotes(*flavor)));
  }
}

void maas_support_eol(const Product& product, const Emit& emit) {
  const auto* value = product.tags.find("support_eol");
  if (product.kind == maas_none || value == nullptr || value->is_null()) {
    return;
  }
  if (!value->is_string()) {
    emit(product.place("support_eol"), wrong_type(*value, "string"));
  } else if (!is_date(value->get_ref<const std::string&>())) {
    emit(product.place("support_eol"),
         in_quotes(value->get_ref<const std::string&>()) + " is no YYYY-MM-DD");
  }
}

Check maas_lengths() {
  constexpr std::size_t short_name = 20;
  constexpr std::size_t name = 32;
  constexpr std::size_t title = 255;
  Check check([](const Product& product, const Emit& emit) {
    if (product.kind == maas_none) {
      return;
    }
    for (const char* key : {"os", "release"}) {
      limit(product, key, short_name, emit);
    }
    for (const char* key : {"arch", "label", "kflavor", "bootloader-type", "subarch"}) {
      limit(product, key, name, emit);
    }
    for (const char* key : {"release_title", "release_codename"}) {
      limit(product, key, title, emit);
    }
    const auto* list = product.tags.text("subarches");
    for (const auto& one : base::split(list != nullptr ? *list : "", ',')) {
      if (one.size() > name) {
        emit(product.place("subarches"), in_quotes(one) + " has more than 32 characters");
      }
    }
  });
  check.version = [](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_none && version.name.size() > name) {
      emit(version.place(), "its name has more than 32 characters");
    }
  };
  return check;
}

void maas_product_id(const Product& product, const Emit& emit) {
  const auto has = [&](const char* part) { return product.name.find(part) != std::string::npos; };
  if (product.kind == maas_multi && !has(":v2:") && !has(":v3:") && !has(":v3+platform:")) {
    emit(product.place(), "its name has neither ':v2:' nor ':v3:'");
  } else if (product.kind == maas_bootloader && !has(":1:")) {
    emit(product.place(), "its name has no ':1:'");
  }
}

void maas_bootloader_known(const Product& product, const Emit& emit) {
  if (product.kind != maas_bootloader) {
    return;
  }
  std::string kind;
  for (const char* key : {"bootloader-type", "os", "arch"}) {
    const auto* text = product.tags.text(key);
    kind += (kind.empty() ? "" : "/") + (text != nullptr ? *text : std::string("?"));
  }
  for (const char* known : {"pxe/pxelinux/i386", "uefi/grub-efi-signed/amd64",
                            "uefi/grub-efi/arm64", "open-firmware/grub-ieee1275/ppc64el"}) {
    if (kind == known) {
      return;
    }
  }
  emit(product.place(), base::cat("is ", in_quotes(kind), ", which MAAS does not use"));
}

Check maas_deployable() {
  const auto releases = std::make_shared<std::optional<DistroInfo>>(ubuntu_releases());
  Check check;
  check.product = [releases](const Product& product, const Emit& emit) {
    const auto* os = product.tags.text("os");
    const auto* release = product.tags.text("release");
    if (!is_image(product) || os == nullptr) {
      return;
    }
    if (*os == "custom") {
      emit(product.place("os"), "'custom' images cannot be deployed from a stream");
    } else if (*os == "ubuntu" && release != nullptr && releases->has_value() &&
               (*releases)->find(*release) == nullptr) {
      emit(product.place("release"), in_quotes(*release) + " is no release of Ubuntu");
    }
  };
  return check;
}

}  // namespace

Rules maas_products() {
  return {
      // docs/format.md 6.18
      {"maas-foreign-file",
       "every products file in an index for MAAS holds products of MAAS",
       {maas | maas_classic},
       "MAAS 3.8: 'Data does not match any known SimpleStreams model', and the whole source fails; "
       "older MAAS ends with a KeyError.",
       "Publish images for LXD, clouds and others in an index of their own.",
       maas_foreign_file},
      // docs/format.md 6.23
      {"maas-one-shape",
       "the products of a file are all bootloaders, all of many files, or all of one root-tgz",
       {maas},
       "MAAS 3.8 tries three models on the whole file; a mixture fits none, and the source fails.",
       "Split the file: one content id for each sort.",
       maas_one_shape},
      // docs/format.md 6.25
      {"product-label",
       "each product has a label",
       {maas | maas_classic},
       "MAAS 3.8 refuses the source, older MAAS ends with a KeyError that stops all imports.",
       "Set it with `meph2-util patch`.",
       maas_label},
      // docs/format.md 6.25
      {"product-os",
       "each product has an os",
       {maas},
       "MAAS 3.8 refuses the source.",
       "Set it with `meph2-util patch`.",
       maas_os},
      // docs/format.md 6.26
      {"product-release",
       "each product but bootloaders has a release",
       {maas | maas_classic},
       "MAAS 3.8 refuses the source, older MAAS ends with a KeyError.",
       "Set it with `meph2-util patch`.",
       maas_release},
      // docs/format.md 6.26
      {"maas-product-keys",
       "each product has release_title, version, subarch and subarches",
       {maas},
       "MAAS 3.8 refuses the source.",
       "Set them with `meph2-util patch`.",
       maas_product_keys},
      // docs/format.md 6.26
      {"maas-product-strings",
       "the tags of a product that MAAS reads are strings",
       {maas},
       "MAAS 3.8 refuses the source: version: 22.04 without quotes is a number.",
       "Quote the value.",
       maas_strings},
      // docs/format.md 6.27
      {"subarches-blank",
       "subarches are separated by commas without blanks",
       {0, maas},
       "The blank becomes part of the name: no machine ever matches it.",
       "Take the blanks away.",
       maas_subarches},
      // docs/format.md 6.28
      {"maas-kflavor",
       "each product with kernels has a kflavor",
       {maas},
       "The kernel becomes 'ga-22.04-None' and is not found.",
       "Set kflavor, mostly to generic.",
       maas_kflavor},
      // docs/format.md 6.28
      {"maas-kflavor-doubled",
       "the subarch does not end with the kflavor",
       {maas},
       "MAAS appends it: 'hwe-22.04-lowlatency-lowlatency' is not found.",
       "Take it out of the subarch.",
       maas_kflavor_doubled},
      // docs/format.md 6.29
      {"support-eol",
       "support_eol is YYYY-MM-DD, or absent",
       {maas | maas_classic},
       "MAAS 3.8 refuses the source, older MAAS raises ValueError.",
       "Write the date, or leave it out.",
       maas_support_eol},
      // docs/format.md 6.30
      {"maas-lengths",
       "os and release have at most 20 characters, other names 32, titles 255",
       {maas | maas_classic},
       "The database refuses the row, and the import stops.",
       "Shorten the name.",
       maas_lengths},
      // docs/format.md 6.31
      {"maas-product-id",
       "product ids have :v2: or :v3: (bootloaders :1:)",
       {maas | maas_classic},
       "'Ignoring unsupported product': the image is never offered, and nobody says so.",
       "Name the product so, e.g. com.example:v3:boot:22.04:amd64:ga-22.04.",
       maas_product_id},
      // docs/format.md 6.32
      {"maas-bootloader-known",
       "bootloaders are of a kind that MAAS uses",
       {0, maas | maas_classic},
       "It is ignored silently. Known: pxe/pxelinux/i386, uefi/grub-efi-signed/amd64, "
       "uefi/grub-efi/arm64, open-firmware/grub-ieee1275/ppc64el. (Canonical's own stream has one "
       "that is not: pxelinux for amd64.)",
       "Publish the bootloader under one of these; or let it be.",
       maas_bootloader_known},
      // docs/format.md 6.33
      {"maas-os-deployable",
       "os and release are what MAAS can deploy",
       {0, maas | maas_classic},
       "The image is imported and cannot be deployed: 'custom' from a stream is looked up among "
       "uploads only, and an Ubuntu release must be in distro-info.",
       "Use the name of the distribution, and the series of a release.",
       maas_deployable},
  };
}

}  // namespace meph2::rules

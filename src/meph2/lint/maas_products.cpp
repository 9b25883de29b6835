#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/config/distro_info.h"
#include "meph2/lint/maas_checks.h"
#include "meph2/lint/profiles.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

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

template <std::size_t N>
void require(const Version& version, const std::array<const char*, N>& keys, const Emit& emit) {
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
  constexpr std::string_view form = "0000-00-00";
  if (text.size() != form.size()) {
    return false;
  }
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != '-') {
      return false;
    }
  }
  const auto month = base::parse_decimal(text.substr(5, 2)).value_or(0);
  const auto day = base::parse_decimal(text.substr(8)).value_or(0);
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(base::parse_decimal(text.substr(0, 4)).value_or(0))),
      std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day))};
  return date.ok();
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

}  // namespace

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

Check maas_label() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_none) {
      require(version, std::array<const char*, 1>{"label"}, emit);
    }
  });
}

Check maas_os() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_none) {
      require(version, std::array<const char*, 1>{"os"}, emit);
    }
  });
}

Check maas_release() {
  return on_version([](const Version& version, const Emit& emit) {
    if (is_image(*version.product)) {
      require(version, std::array<const char*, 1>{"release"}, emit);
    }
  });
}

Check maas_product_keys() {
  return on_version([](const Version& version, const Emit& emit) {
    if (is_image(*version.product)) {
      require(version,
              std::array<const char*, 4>{"release_title", "version", "subarch", "subarches"}, emit);
    }
  });
}

Check maas_strings() {
  return on_product([](const Product& product, const Emit& emit) {
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
  });
}

Check maas_subarches() {
  return on_product([](const Product& product, const Emit& emit) {
    const auto* text = product.tags.text("subarches");
    if (product.kind != maas_none && text != nullptr && has_blank(*text)) {
      emit(product.place("subarches"), in_quotes(*text) + " has blanks");
    }
  });
}

Check maas_kflavor() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind == maas_multi) {
      require(version, std::array<const char*, 1>{"kflavor"}, emit);
    }
  });
}

Check maas_kflavor_doubled() {
  return on_product([](const Product& product, const Emit& emit) {
    const auto* flavor = product.tags.text("kflavor");
    const auto* subarch = product.tags.text("subarch");
    if (product.kind == maas_multi && flavor != nullptr && subarch != nullptr &&
        *flavor != "generic" && subarch->ends_with("-" + *flavor)) {
      emit(product.place("subarch"),
           base::cat(in_quotes(*subarch), " ends with kflavor ", in_quotes(*flavor)));
    }
  });
}

Check maas_support_eol() {
  return on_product([](const Product& product, const Emit& emit) {
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
  });
}

Check maas_lengths() {
  constexpr std::size_t short_name = 20;
  constexpr std::size_t name = 32;
  constexpr std::size_t title = 255;
  Check check = on_product([](const Product& product, const Emit& emit) {
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

Check maas_product_id() {
  return on_product([](const Product& product, const Emit& emit) {
    const auto has = [&](const char* part) { return product.name.find(part) != std::string::npos; };
    if (product.kind == maas_multi && !has(":v2:") && !has(":v3:") && !has(":v3+platform:")) {
      emit(product.place(), "its name has neither ':v2:' nor ':v3:'");
    } else if (product.kind == maas_bootloader && !has(":1:")) {
      emit(product.place(), "its name has no ':1:'");
    }
  });
}

Check maas_bootloader_known() {
  return on_product([](const Product& product, const Emit& emit) {
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
  });
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

}  // namespace meph2::rules

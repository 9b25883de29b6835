#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "io/tar/archive.h"
#include "meph2/lint/maas_checks.h"
#include "meph2/lint/profiles.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace sstream::lint;

namespace {

constexpr std::array<std::string_view, 7> image_ftypes = {
    "boot-kernel", "boot-initrd", "boot-dtb", "squashfs", "root-image.gz", "manifest", "root-tgz"};
constexpr std::array<std::string_view, 4> bootloader_items = {"grub2-signed", "shim-signed",
                                                              "grub2", "syslinux"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void require(const Version& version, const char* name, const Emit& emit) {
  if (version.item(name) == nullptr) {
    emit(version.place(), base::cat("has no ", name));
  }
}

/// The newest version of a bootloader, and where its archives are.
struct Bootloader {
  std::string version;
  std::vector<std::string> paths;
};

/// What the agent of MAAS hands out, by bootloader-type and arch.
std::vector<std::string> names_asked_for(const Product& product) {
  const auto* type = product.tags.text("bootloader-type");
  const auto* arch = product.tags.text("arch");
  const auto kind = type != nullptr && arch != nullptr ? base::cat(*type, "/", *arch) : "";
  if (kind == "uefi/amd64") {
    return {"bootx64.efi", "grubx64.efi", "mmx64.efi"};
  }
  if (kind == "uefi/arm64") {
    return {"bootaa64.efi", "grubaa64.efi", "mmaa64.efi"};
  }
  if (kind == "open-firmware/ppc64el") {
    return {"bootppc64.bin"};
  }
  if (kind == "pxe/i386") {
    return {"lpxelinux.0", "chain.c32",    "ifcpu.c32",  "ifcpu64.c32",
            "ldlinux.c32", "libcom32.c32", "libutil.c32"};
  }
  return {};
}

/// Whether any of the archives holds a file of this name at its top.
bool holds(const ProductsFile& file, const Bootloader& loader, const std::string& name) {
  constexpr std::uint64_t largest = 64U << 20U;
  return std::any_of(loader.paths.begin(), loader.paths.end(), [&](const std::string& path) {
    auto archive = file.open_data(path);
    return archive && io::read_from_tar(*archive, {name}, largest, {}).has_value();
  });
}

void require_files(const Product& product, const Bootloader& loader, const Emit& emit) {
  const auto place = product.place().below("versions").below(loader.version);
  try {
    for (const auto& name : names_asked_for(product)) {
      if (!holds(*product.file, loader, name)) {
        emit(place, base::cat("no archive holds ", name));
      }
    }
  } catch (const base::Error& error) {
    emit(place, error.what());
  }
}

}  // namespace

Check maas_multi_items() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_multi || version.item_count == 0) {
      return;
    }
    for (const char* name : {"boot-kernel", "boot-initrd", "manifest"}) {
      require(version, name, emit);
    }
    if (version.item("squashfs") == nullptr && version.item("root-image.gz") == nullptr) {
      emit(version.place(), "has neither squashfs nor root-image.gz");
    }
  });
}

Check maas_single_items() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_single || version.item_count == 0) {
      return;
    }
    require(version, "root-tgz", emit);
    require(version, "manifest", emit);
    for (const auto& item : version) {
      const auto* ftype = item.inherited_text("ftype");
      if (item.name.starts_with("root-dd") || (ftype != nullptr && ftype->starts_with("root-dd"))) {
        emit(item.place(), "a root-dd image cannot be imported");
      }
    }
  });
}

Check maas_mixed_items() {
  return on_version([](const Version& version, const Emit& emit) {
    const auto* tarball = version.item("root-tgz");
    if (version.product->kind == maas_multi && tarball != nullptr) {
      emit(tarball->place(), "stands beside a kernel");
    }
  });
}

Check maas_item_ftype() {
  return on_item([](const Item& item, const Emit& emit) {
    const auto kind = item.version->product->kind;
    if (kind != maas_multi && kind != maas_single) {
      return;
    }
    const auto* ftype = item.inherited_text("ftype");
    const bool known = is_one_of(image_ftypes, item.name);
    if (ftype == nullptr) {
      if (known) {
        emit(item.place("ftype"), "'ftype' is missing");
      }
    } else if (*ftype != item.name && (known || is_one_of(image_ftypes, *ftype))) {
      emit(item.place("ftype"),
           base::cat("ftype is ", in_quotes(*ftype), ", the item's key ", in_quotes(item.name)));
    }
  });
}

Check maas_bootloader_items() {
  return on_version([](const Version& version, const Emit& emit) {
    if (version.product->kind != maas_bootloader) {
      return;
    }
    bool any = false;
    for (const auto& item : version) {
      const bool known = is_one_of(bootloader_items, item.name);
      const auto* ftype = item.inherited_text("ftype");
      any = any || known;
      if (!known) {
        emit(item.place(), "is none of grub2-signed, shim-signed, grub2 and syslinux");
      } else if (ftype == nullptr || *ftype != "archive.tar.xz") {
        emit(item.place("ftype"), "must be archive.tar.xz");
      }
    }
    if (!any && version.item_count > 0) {
      emit(version.place(), "has none of grub2-signed, shim-signed, grub2 and syslinux");
    }
  });
}

Check maas_bootloader_source() {
  return on_item([](const Item& item, const Emit& emit) {
    if (item.version->product->kind != maas_bootloader) {
      return;
    }
    for (const char* key : {"src_package", "src_release", "src_version"}) {
      const auto* value = item.inherited(key);
      if (value == nullptr) {
        emit(item.place(), base::cat("'", key, "' is missing"));
      } else if (!value->is_string()) {
        emit(item.place(key), wrong_type(*value, "string"));
      }
    }
  });
}

Check maas_bootloader_files() {
  const auto newest = std::make_shared<Bootloader>();
  Check check;
  check.version = [newest](const Version& version, const Emit&) {
    if (version.product->kind != maas_bootloader || !version.product->file->open_data ||
        version.name < newest->version) {
      return;
    }
    *newest = {version.name, {}};
    for (const auto& item : version) {
      const auto* path = item.inherited_text("path");
      if (path != nullptr && version.product->file->open_data(*path)) {
        newest->paths.push_back(*path);  // others are missing, which is another rule's
      }
    }
  };
  check.product = [newest](const Product& product, const Emit& emit) {
    if (!newest->paths.empty()) {
      require_files(product, *newest, emit);
    }
    *newest = {};
  };
  return check;
}

}  // namespace meph2::rules

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "io/tar/archive.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace profile;
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

void require_item(const Version& version, const char* name, const Emit& emit) {
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

void maas_multi_items(const Version& version, const Emit& emit) {
  if (version.product->kind != maas_multi || version.item_count == 0) {
    return;
  }
  for (const char* name : {"boot-kernel", "boot-initrd", "manifest"}) {
    require_item(version, name, emit);
  }
  if (version.item("squashfs") == nullptr && version.item("root-image.gz") == nullptr) {
    emit(version.place(), "has neither squashfs nor root-image.gz");
  }
}

void maas_single_items(const Version& version, const Emit& emit) {
  if (version.product->kind != maas_single || version.item_count == 0) {
    return;
  }
  require_item(version, "root-tgz", emit);
  require_item(version, "manifest", emit);
  for (const auto& item : version) {
    const auto* ftype = item.inherited_text("ftype");
    if (item.name.starts_with("root-dd") || (ftype != nullptr && ftype->starts_with("root-dd"))) {
      emit(item.place(), "a root-dd image cannot be imported");
    }
  }
}

void maas_mixed_items(const Version& version, const Emit& emit) {
  const auto* tarball = version.item("root-tgz");
  if (version.product->kind == maas_multi && tarball != nullptr) {
    emit(tarball->place(), "stands beside a kernel");
  }
}

void maas_item_ftype(const Item& item, const Emit& emit) {
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
}

void maas_bootloader_items(const Version& version, const Emit& emit) {
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
}

void maas_bootloader_source(const Item& item, const Emit& emit) {
  if (item.version->product->kind != maas_bootloader) {
    return;
  }
  for (const char* key : {"src_package", "src_release", "src_version"}) {
    require_text(item, key, emit);
  }
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

}  // namespace

Rules maas_items() {
  return {
      // docs/format.md 6.34
      {"maas-multi-items",
       "each version has boot-kernel, boot-initrd, manifest, and squashfs or root-image.gz",
       {maas},
       "MAAS 3.8 refuses the source, for an old version as well as for the newest.",
       "Build the version again, or take it out with `meph2-util remove-version`.",
       maas_multi_items},
      // docs/format.md 6.35
      {"maas-single-items",
       "each version of a root-tgz product has root-tgz and manifest, and no root-dd",
       {maas},
       "MAAS 3.8 refuses the source; root-dd images can be uploaded only.",
       "Add the manifest, or take the version out.",
       maas_single_items},
      // docs/format.md 6.36
      {"maas-mixed-items",
       "no root-tgz beside a kernel",
       {maas},
       "The product is taken for one of a root-tgz only: kernel, initrd and squashfs are ignored.",
       "Publish the tarball as a product (and in a file) of its own.",
       maas_mixed_items},
      // docs/format.md 6.37
      {"item-key-ftype",
       "boot and root items are called like their ftype",
       {maas},
       "MAAS 3.8 finds items by their key and files them by their ftype: either missing means "
       "refused, or an error when the selection is synced.",
       "Use the ftype as the item's key.",
       maas_item_ftype},
      // docs/format.md 6.37
      {"maas-bootloader-items",
       "bootloader items are called grub2-signed, shim-signed, grub2 or syslinux, ftype "
       "archive.tar.xz",
       {maas},
       "An item of another name is not downloaded; a file with none of the four is refused.",
       "Rename the item.",
       maas_bootloader_items},
      // docs/format.md 6.32
      {"maas-bootloader-files",
       "the archives of a bootloader hold the files that machines ask for",
       {0, maas | maas_classic},
       "Machines do not netboot: MAAS hands the files out by fixed names (bootx64.efi, "
       "grubx64.efi, mmx64.efi; bootaa64.efi, grubaa64.efi, mmaa64.efi; bootppc64.bin; lpxelinux.0 "
       "and its modules), from the top of the archive.",
       "Pack them under these names. Looked at in the newest version, of a directory only.",
       maas_bootloader_files},
      // docs/format.md 6.38
      {"bootloader-source",
       "bootloader items have src_package, src_release and src_version, as strings",
       {maas},
       "MAAS 3.8 refuses the products file.",
       "Write where the files are from.",
       maas_bootloader_source},
  };
}

}  // namespace meph2::rules

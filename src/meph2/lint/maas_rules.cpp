#include "meph2/lint/maas_checks.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/format_checks.h"

namespace meph2::rules {

using namespace profile;
using sstream::lint::Check;

sstream::lint::Rules maas_readers() {
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
       "grubx64.efi, "
       "mmx64.efi; bootaa64.efi, grubaa64.efi, mmaa64.efi; bootppc64.bin; lpxelinux.0 and its "
       "modules), from the top of the archive.",
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

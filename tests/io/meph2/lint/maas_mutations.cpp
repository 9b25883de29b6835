#include "base/strings.h"
#include "tests/io/meph2/lint/mutations.h"

namespace lint_test {

std::vector<Mutation> maas_mutations() {
  using M = StreamModel;
  return {
      {"ProductsFormatMissing", Base::maas, "products-format",
       [](M& m) { m.file(ubuntu).erase("format"); }},
      {"ProductsFormatOther", Base::maas, "products-format",
       [](M& m) { m.file(ubuntu)["format"] = "products:1.1"; }},
      {"ContentIdMissing", Base::maas, "products-content-id",
       [](M& m) { m.file(ubuntu).erase("content_id"); }},
      {"ContentIdNumber", Base::maas, "products-content-id",
       [](M& m) { m.file(ubuntu)["content_id"] = 7; }},
      {"DatatypeMissing", Base::maas, "products-datatype",
       [](M& m) { m.file(ubuntu).erase("datatype"); }},
      {"UpdatedMissing", Base::maas, "products-updated",
       [](M& m) { m.file(ubuntu).erase("updated"); }},
      {"UpdatedWithoutZone", Base::maas, "products-updated",
       [](M& m) { m.file(ubuntu)["updated"] = "Thu, 01 Jan 2026 00:00:00"; }},
      {"NoProducts", Base::maas, "products-empty",
       [](M& m) { m.file(centos)["products"] = io::Json::object(); }},
      {"NoVersions", Base::maas, "products-empty",
       [](M& m) { m.product(ubuntu)["versions"] = io::Json::object(); }},
      {"VersionsMissing", Base::maas, "products-empty",
       [](M& m) { m.product(ubuntu).erase("versions"); }},
      {"NoItems", Base::maas, "products-empty",
       [](M& m) { m.version(ubuntu)["items"] = io::Json::object(); }},
      {"Aliases", Base::maas, "aliases-used",
       [](M& m) { m.file(ubuntu)["_aliases"] = io::Json::object(); }},
      {"LabelOnTop", Base::maas, "hoisted-keys",
       [](M& m) {
         m.product(ubuntu).erase("label");
         m.file(ubuntu)["label"] = "stable";
       }},
      {"ReleaseOnVersion", Base::maas, "hoisted-keys",
       [](M& m) {
         m.product(ubuntu).erase("release");
         m.version(ubuntu)["release"] = "noble";
       }},
      {"FtypeOnVersion", Base::maas, "hoisted-keys",
       [](M& m) {
         m.item(centos, "root-tgz").erase("ftype");
         m.version(centos)["ftype"] = "root-tgz";
       }},
      {"ArchMissing", Base::maas, "product-arch", [](M& m) { m.product(ubuntu).erase("arch"); }},
      {"ArchMissingOfLoader", Base::maas, "product-arch",
       [](M& m) { m.product(loaders).erase("arch"); }},
      {"LabelMissing", Base::maas, "product-label", [](M& m) { m.product(ubuntu).erase("label"); }},
      {"OsMissing", Base::maas, "product-os", [](M& m) { m.product(centos).erase("os"); }},
      {"ReleaseMissing", Base::maas, "product-release",
       [](M& m) { m.product(ubuntu).erase("release"); }},
      {"TitleMissing", Base::maas, "maas-product-keys",
       [](M& m) { m.product(ubuntu).erase("release_title"); }},
      {"VersionTagMissing", Base::maas, "maas-product-keys",
       [](M& m) { m.product(ubuntu).erase("version"); }},
      {"SubarchMissing", Base::maas, "maas-product-keys",
       [](M& m) { m.product(centos).erase("subarch"); }},
      {"SubarchesMissing", Base::maas, "maas-product-keys",
       [](M& m) { m.product(ubuntu).erase("subarches"); }},
      {"VersionTagNumber", Base::maas, "maas-product-strings",
       [](M& m) { m.product(ubuntu)["version"] = 24.04; }},
      {"SubarchesList", Base::maas, "maas-product-strings",
       [](M& m) { m.product(ubuntu)["subarches"] = {"generic"}; }},
      {"LabelNull", Base::maas, "maas-product-strings",
       [](M& m) { m.product(ubuntu)["label"] = nullptr; }},
      {"SubarchesBlank", Base::maas, "subarches-blank",
       [](M& m) { m.product(ubuntu)["subarches"] = "generic, ga-24.04"; }},
      {"KflavorMissing", Base::maas, "maas-kflavor",
       [](M& m) { m.product(ubuntu).erase("kflavor"); }},
      {"KflavorDoubled", Base::maas, "maas-kflavor-doubled",
       [](M& m) {
         m.product(ubuntu)["kflavor"] = "lowlatency";
         m.product(ubuntu)["subarch"] = "ga-24.04-lowlatency";
       }},
      {"EolEmpty", Base::maas, "support-eol", [](M& m) { m.product(ubuntu)["support_eol"] = ""; }},
      {"EolWords", Base::maas, "support-eol",
       [](M& m) { m.product(ubuntu)["support_eol"] = "May 2029"; }},
      {"EolNoDay", Base::maas, "support-eol",
       [](M& m) { m.product(ubuntu)["support_eol"] = "2029-02-30"; }},
      {"EolNumber", Base::maas, "support-eol",
       [](M& m) { m.product(ubuntu)["support_eol"] = 2029; }},
      {"LongRelease", Base::maas, "maas-lengths",
       [](M& m) { m.product(centos)["release"] = std::string(21, 'r'); }},
      {"LongLabel", Base::maas, "maas-lengths",
       [](M& m) { m.product(ubuntu)["label"] = std::string(33, 'l'); }},
      {"LongSubarches", Base::maas, "maas-lengths",
       [](M& m) { m.product(ubuntu)["subarches"] = "generic," + std::string(33, 's'); }},
      {"LongVersion", Base::maas, "maas-lengths",
       [](M& m) { m.rename_version(ubuntu, "20260101." + std::string(30, '1')); }},
      {"LongTitle", Base::maas, "maas-lengths",
       [](M& m) { m.product(ubuntu)["release_title"] = std::string(256, 't'); }},
      {"IdWithoutV3", Base::maas, "maas-product-id",
       [](M& m) { m.rename_product(ubuntu, "com.ubuntu.maas:boot:24.04:amd64:ga-24.04"); }},
      {"LoaderIdWithout1", Base::maas, "maas-product-id",
       [](M& m) { m.rename_product(loaders, "com.ubuntu.maas:grub-efi-signed:uefi:amd64"); }},
      {"LoaderUnknown", Base::maas, "maas-bootloader-known",
       [](M& m) { m.product(loaders)["arch"] = "riscv64"; }},
      {"OsCustom", Base::maas, "maas-os-deployable",
       [](M& m) { m.product(centos)["os"] = "custom"; }},
      {"UbuntuUnheardOf", Base::maas, "maas-os-deployable",
       [](M& m) { m.product(ubuntu)["release"] = "nobel"; }},
      {"KernelMissing", Base::maas, "maas-multi-items",
       [](M& m) { m.version(ubuntu)["items"].erase("boot-kernel"); }},
      {"InitrdMissing", Base::maas, "maas-multi-items",
       [](M& m) { m.version(ubuntu)["items"].erase("boot-initrd"); }},
      {"ManifestMissing", Base::maas, "maas-multi-items",
       [](M& m) { m.version(ubuntu)["items"].erase("manifest"); }},
      {"SquashfsMissing", Base::maas, "maas-multi-items",
       [](M& m) { m.version(ubuntu)["items"].erase("squashfs"); }},
      {"SquashfsMissingInTheNewest", Base::maas, "maas-multi-items",
       [](M& m) { m.product(ubuntu)["versions"]["20260102"]["items"].erase("squashfs"); }},
      {"SingleManifestMissing", Base::maas, "maas-single-items",
       [](M& m) { m.version(centos)["items"].erase("manifest"); }},
      {"SingleRootDd", Base::maas, "maas-single-items",
       [](M& m) {
         m.version(centos)["items"]["root-dd"] = m.item(centos, "root-tgz");
         m.item(centos, "root-dd")["ftype"] = "root-dd";
       }},
      {"TarballBesideKernel", Base::maas, "maas-mixed-items",
       [](M& m) {
         m.version(ubuntu)["items"]["root-tgz"] = m.item(ubuntu, "squashfs");
         m.item(ubuntu, "root-tgz")["ftype"] = "root-tgz";
       }},
      {"FtypeOther", Base::maas, "item-key-ftype",
       [](M& m) { m.item(ubuntu, "squashfs")["ftype"] = "squashfs-4"; }},
      {"FtypeMissing", Base::maas, "item-key-ftype",
       [](M& m) { m.item(ubuntu, "manifest").erase("ftype"); }},
      {"KeyOther", Base::maas, "item-key-ftype",
       [](M& m) {
         m.version(ubuntu)["items"]["root.squashfs"] = m.item(ubuntu, "squashfs");
         m.version(ubuntu)["items"].erase("squashfs");
       }},
      {"LoaderItemOther", Base::maas, "maas-bootloader-items",
       [](M& m) {
         m.version(loaders)["items"]["grub"] = m.item(loaders, "grub2-signed");
         m.version(loaders)["items"].erase("grub2-signed");
       }},
      {"LoaderFtypeOther", Base::maas, "maas-bootloader-items",
       [](M& m) { m.item(loaders, "grub2-signed")["ftype"] = "archive.tar.gz"; }},
      {"LoaderSourceMissing", Base::maas, "bootloader-source",
       [](M& m) { m.item(loaders, "grub2-signed").erase("src_version"); }},
      {"LoaderSourceNumber", Base::maas, "bootloader-source",
       [](M& m) { m.item(loaders, "grub2-signed")["src_version"] = 1.2; }},
      {"LoaderFileGone", Base::maas, "maas-bootloader-files",
       [](M& m) {
         m.version(loaders)["items"].erase("shim-signed");
         m.files.erase("bootloaders/uefi/amd64/20260101.0/shim-signed.tar.xz");
       }},
      {"LoaderIsNoArchive", Base::maas, "maas-bootloader-files",
       [](M& m) { m.files["bootloaders/uefi/amd64/20260101.0/shim-signed.tar.xz"] = "x"; }},
      {"ForeignFile", Base::maas, "maas-foreign-file",
       [](M& m) {
         auto other = container_stream();
         m.documents["images.json"] = other.file(images);
         m.index()["index"]["images"] = other.entry(images);
         m.files.insert(other.files.begin(), other.files.end());
       }},
      {"TwoShapes", Base::maas, "maas-one-shape",
       [](M& m) {
         m.file(ubuntu)["products"]["centos:v3:9"] = m.product(centos);
         m.entry(ubuntu)["products"].push_back("centos:v3:9");
       }},
      {"VersionStyles", Base::maas, "version-style",
       [](M& m) { m.rename_version(ubuntu, "release"); }},
      {"SerialOfTwoDigits", Base::maas, "version-serial",
       [](M& m) { m.rename_version(ubuntu, "20260101.10"); }},
      {"NineAndTen", Base::maas, "version-order",
       [](M& m) {
         auto& versions = m.product(ubuntu)["versions"];
         versions["20260103.9"] = versions["20260102"];
         versions["20260103.10"] = versions["20260102"];
       }},
      {"SizeMissing", Base::maas, "item-size-missing",
       [](M& m) { m.item(ubuntu, "squashfs").erase("size"); }},
      {"SizeText", Base::maas, "item-size-type",
       [](M& m) { m.item(ubuntu, "squashfs")["size"] = "30"; }},
      {"SizeNegative", Base::maas, "item-size-type",
       [](M& m) { m.item(ubuntu, "squashfs")["size"] = -1; }},
      {"SizeFraction", Base::maas, "item-size-type",
       [](M& m) { m.item(ubuntu, "squashfs")["size"] = 9.0; }},
      {"Sha256Missing", Base::maas, "item-sha256-missing",
       [](M& m) { m.item(ubuntu, "squashfs").erase("sha256"); }},
      {"Sha256UpperCase", Base::maas, "item-sha256-form",
       [](M& m) { m.item(ubuntu, "squashfs")["sha256"] = std::string(64, 'A'); }},
      {"Sha256Short", Base::maas, "item-sha256-form",
       [](M& m) { m.item(ubuntu, "squashfs")["sha256"] = std::string(63, 'a'); }},
      {"PathAbsolute", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "/noble/squashfs"; }},
      {"PathClimbs", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "noble/../squashfs"; }},
      {"PathIsUrl", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "http://example.com/squashfs"; }},
      {"PathWithScheme", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "img:1/squashfs"; }},
      {"PathInMetadata", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "streams/v1/index.json"; }},
      {"PathIsNumber", Base::maas, "item-path-unsafe",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = 1; }},
      {"PathWithBlank", Base::maas, "item-path-chars",
       [](M& m) {
         m.files["noble/my squashfs"] = m.files.at("noble/amd64/20260101/squashfs");
         m.item(ubuntu, "squashfs")["path"] = "noble/my squashfs";
       }},
      {"PathWithPercent", Base::maas, "item-path-chars",
       [](M& m) {
         m.files["noble/%41"] = m.files.at("noble/amd64/20260101/squashfs");
         m.item(ubuntu, "squashfs")["path"] = "noble/%41";
       }},
      {"OnePathTwoContents", Base::maas, "path-contents",
       [](M& m) { m.item(ubuntu, "squashfs")["path"] = "noble/amd64/20260102/squashfs"; }},
      {"SameBasenames", Base::maas, "version-basenames",
       [](M& m) {
         m.files["noble/other/boot-kernel"] = m.files.at("noble/amd64/20260101/squashfs");
         m.item(ubuntu, "squashfs")["path"] = "noble/other/boot-kernel";
       }},
      {"FileMissing", Base::maas, "file-missing",
       [](M& m) { m.files.erase("noble/amd64/20260101/squashfs"); }},
      {"FileCutOff", Base::maas, "file-size",
       [](M& m) { m.files["noble/amd64/20260101/squashfs"].pop_back(); }},
      {"FileLonger", Base::maas, "file-size",
       [](M& m) { m.files["centos/9/amd64/20260101/root-tgz"] += "x"; }},
      {"Orphan", Base::maas, "orphan-file", [](M& m) { m.files["noble/lost"] = "x"; }},
  };
}

}  // namespace lint_test

#include "tests/io/meph2/lint/mutations.h"

namespace lint_test {

std::vector<Mutation> container_mutations() {
  using M = StreamModel;
  return {
      {"SizeAsText", Base::containers, "item-size-type",
       [](M& m) { m.item(images, "root.squashfs")["size"] = "7"; }},
      {"VersionAsNumber", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["version"] = 22.04; }},
      {"AliasesAsList", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["aliases"] = {"noble"}; }},
      {"SupportedAsText", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["supported"] = "true"; }},
      {"RequirementsOfBooleans", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["requirements"]["secureboot"] = false; }},
      {"RequirementsAsText", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["lxd_requirements"] = "none"; }},
      {"EolAsNumber", Base::containers, "lxd-types",
       [](M& m) { m.product(images)["support_eol"] = 2029; }},
      {"LabelAsNumber", Base::containers, "lxd-types",
       [](M& m) { m.version(images)["label"] = 1; }},
      {"LicenseAsList", Base::containers, "lxd-types",
       [](M& m) { m.file(images)["license"] = io::Json::array(); }},
      {"DeltaBaseAsNumber", Base::containers, "lxd-types",
       [](M& m) { m.item(images, "root.squashfs")["delta_base"] = 1; }},
      {"ArchUnheardOf", Base::containers, "lxd-arch",
       [](M& m) { m.product(images)["arch"] = "x86"; }},
      {"ArchGone", Base::containers, "product-arch", [](M& m) { m.product(images).erase("arch"); }},
      {"ArchOnVersion", Base::containers, "hoisted-keys",
       [](M& m) {
         m.product(images).erase("arch");
         m.version(images)["arch"] = "amd64";
       }},
      {"AliasesInContainers", Base::containers, "aliases-used",
       [](M& m) { m.file(images)["_aliases"] = io::Json::object(); }},
      {"AliasesBlank", Base::containers, "aliases-blank",
       [](M& m) { m.product(images)["aliases"] = "noble/default, noble"; }},
      {"AliasTwice", Base::containers, "alias-unique",
       [](M& m) { m.file(images)["products"]["ubuntu:noble:arm64:default"]["arch"] = "amd64"; }},
      {"VersionWithoutDate", Base::containers, "lxd-version-date",
       [](M& m) { m.rename_version(images, "2026-01-01"); }},
      {"VersionOfNoDay", Base::containers, "lxd-version-date",
       [](M& m) { m.rename_version(images, "20260230_07:42"); }},
      {"LxdMetadataGone", Base::containers, "lxd-metadata-item",
       [](M& m) { m.version(images)["items"].erase("lxd.tar.xz"); }},
      {"IncusMetadataGone", Base::containers, "incus-metadata-item",
       [](M& m) { m.version(images)["items"].erase("incus.tar.xz"); }},
      {"RootGone", Base::containers, "image-root-item",
       [](M& m) {
         m.version(images)["items"].erase("root.squashfs");
         m.version(images)["items"].erase("disk.qcow2");
       }},
      {"CombinedGoneOfLxd", Base::containers, "combined-fingerprint",
       [](M& m) {
         m.item(images, "lxd.tar.xz").erase("combined_squashfs_sha256");
         m.item(images, "incus.tar.xz").erase("combined_squashfs_sha256");
       }},
      {"CombinedGoneOfMachines", Base::containers, "combined-fingerprint",
       [](M& m) {
         m.item(images, "lxd.tar.xz").erase("combined_disk-kvm-img_sha256");
         m.item(images, "incus.tar.xz").erase("combined_disk-kvm-img_sha256");
       }},
      {"CombinedUpperCase", Base::containers, "combined-fingerprint-form",
       [](M& m) {
         m.item(images, "lxd.tar.xz")["combined_squashfs_sha256"] = std::string(64, 'F');
       }},
      {"CombinedOfOtherFiles", Base::containers, "combined-fingerprint-content",
       [](M& m) {
         for (const char* name : {"lxd.tar.xz", "incus.tar.xz"}) {
           m.item(images, name)["combined_squashfs_sha256"] = std::string(64, 'a');
         }
         m.item(images, "incus.tar.xz")["combined_squashfs_sha256"] = std::string(64, 'b');
       }},
      {"FingerprintTwice", Base::containers, "fingerprint-unique",
       [](M& m) {
         auto& newest = m.product(images)["versions"]["20260102_07:42"]["items"];
         for (const char* name : {"lxd.tar.xz", "incus.tar.xz"}) {
           newest[name]["combined_squashfs_sha256"] =
               m.item(images, name)["combined_squashfs_sha256"];
         }
       }},
      {"DeltaBaseGone", Base::containers, "delta-base",
       [](M& m) { m.rename_version(images, "20251231_07:42"); }},
      {"MachineDelta", Base::containers, "incus-vm-delta",
       [](M& m) {
         m.product(images)["versions"]["20260102_07:42"]["items"]["delta"]["ftype"] =
             "disk-kvm.img.vcdiff";
       }},
      {"ContainerPathBlank", Base::containers, "item-path-chars",
       [](M& m) { m.item(images, "root.squashfs")["path"] = "images/root fs"; }},
      {"ContainerFileMissing", Base::containers, "file-missing",
       [](M& m) { m.item(images, "root.squashfs")["path"] = "images/none"; }},
      {"ContainerFileCutOff", Base::containers, "file-size",
       [](M& m) { m.files.begin()->second.pop_back(); }},
      {"ContainerSha256Upper", Base::containers, "item-sha256-form",
       [](M& m) { m.item(images, "root.squashfs")["sha256"] = std::string(64, 'B'); }},
      {"ContainerSha256Gone", Base::containers, "item-sha256-missing",
       [](M& m) { m.item(images, "root.squashfs").erase("sha256"); }},
      {"ContainerSizeGone", Base::containers, "item-size-missing",
       [](M& m) { m.item(images, "root.squashfs").erase("size"); }},
  };
}

std::vector<Mutation> juju_mutations() {
  using M = StreamModel;
  return {
      {"CloudsAsObject", Base::juju, "juju-clouds",
       [](M& m) { m.entry(clouds)["clouds"] = io::Json::object(); }},
      {"CloudWithoutEndpoint", Base::juju, "juju-clouds",
       [](M& m) { m.entry(clouds)["clouds"][0].erase("endpoint"); }},
      {"ProductOfAnotherForm", Base::juju, "juju-product-id",
       [](M& m) { m.rename_product(clouds, "com.example:server:24.04:amd64"); }},
      {"ProductOfThreeParts", Base::juju, "juju-product-id",
       [](M& m) { m.rename_product(clouds, "com.ubuntu.cloud:server:24.04"); }},
      {"IdGone", Base::juju, "juju-item", [](M& m) { m.item(clouds, "one").erase("id"); }},
      {"RegionGone", Base::juju, "juju-item", [](M& m) { m.item(clouds, "one").erase("region"); }},
      {"VirtGone", Base::juju, "juju-item", [](M& m) { m.item(clouds, "two").erase("virt"); }},
      {"RootStoreNumber", Base::juju, "juju-item",
       [](M& m) { m.item(clouds, "two")["root_store"] = 1; }},
      {"JujuProductsFormatGone", Base::juju, "products-format",
       [](M& m) { m.file(clouds).erase("format"); }},
      {"JujuContentIdGone", Base::juju, "products-content-id",
       [](M& m) { m.file(clouds).erase("content_id"); }},
      {"JujuNoVersions", Base::juju, "products-empty",
       [](M& m) { m.product(clouds)["versions"] = io::Json::object(); }},
      {"JujuSerial", Base::juju, "version-serial",
       [](M& m) { m.rename_version(clouds, "20260101.12"); }},
      {"JujuEntrySuffix", Base::juju, "entry-path-suffix",
       [](M& m) {
         m.entry(clouds)["path"] = "streams/v1/com.ubuntu.cloud:released:example.sjson";
       }},
  };
}

}  // namespace lint_test

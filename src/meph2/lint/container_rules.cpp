#include "meph2/lint/container_checks.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"

namespace meph2::rules {

using namespace profile;

sstream::lint::Rules containers() {
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
      // docs/format.md 6.45
      {"lxd-metadata-item",
       "each version has an item with ftype lxd.tar.xz (or lxd_combined.tar.gz)",
       {lxd},
       "The image is missing without a word: LXD does not read incus.tar.xz.",
       "Publish the metadata tarball under both ftypes; they may share one file.",
       lxd_metadata_item},
      // docs/format.md 6.45
      {"incus-metadata-item",
       "each version has an item with ftype incus.tar.xz (or incus_combined.tar.gz)",
       {incus},
       "The image is missing without a word: Incus does not read lxd.tar.xz.",
       "Publish the metadata tarball under both ftypes; they may share one file.",
       incus_metadata_item},
      // docs/format.md 6.45
      {"image-root-item",
       "each version has a root file system",
       {lxd | incus},
       "The image is missing without a word.",
       "Add an item with ftype squashfs, root.tar.xz or disk-kvm.img.",
       lxd_root_item},
      // docs/format.md 6.46
      {"combined-fingerprint",
       "the metadata item has the combined fingerprint of each root file system",
       {lxd | incus},
       "The image is not offered.",
       "combined_squashfs_sha256 is sha256 of lxd.tar.xz followed by the squashfs; likewise "
       "combined_rootxz_sha256 and combined_disk-kvm-img_sha256.",
       lxd_combined},
      // docs/format.md 6.46
      {"combined-fingerprint-form",
       "combined fingerprints are 64 lower-case hexadecimal digits",
       {lxd | incus},
       "The image is listed, and its download fails.",
       "Write it in lower case.",
       lxd_combined_form},
      // docs/format.md 6.46
      {"combined-fingerprint-content",
       "combined fingerprints are those of the files (looked at with --data)",
       {lxd | incus},
       "The image is listed, and its download fails.",
       "sha256 of lxd.tar.xz (incus.tar.xz) followed by the root file system.",
       lxd_combined_content},
      // docs/format.md 6.47
      {"fingerprint-unique",
       "no two images have the same fingerprint",
       {lxd | incus},
       "'More than one match for the provided partial fingerprint': neither can be used.",
       "Do not publish an image again under a new serial when nothing has changed.",
       lxd_fingerprints},
      // docs/format.md 6.50
      {"delta-base",
       "the version that a delta builds on is there",
       {0, lxd | incus},
       "The delta is ignored: it only takes space.",
       "Take deltas out together with the version that they build on.",
       lxd_delta_base},
      // docs/format.md 6.50
      {"incus-vm-delta",
       "no deltas of virtual machines for Incus",
       {0, incus},
       "A host that has the container image of the base version applies the delta to that: the "
       "download fails.",
       "Leave disk-kvm.img.vcdiff out.",
       incus_vm_delta},
  };
}

}  // namespace meph2::rules

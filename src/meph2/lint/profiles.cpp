#include "meph2/lint/profiles.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace meph2 {

namespace {

bool has_part(const std::string& content_id, const std::string& wanted) {
  const auto parts = base::split(base::replace_all(content_id, ":", "."), '.');
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

bool any_of(const std::set<std::string>& held, std::initializer_list<const char*> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const char* one) { return held.contains(one); });
}

bool is_bootloader(const sstream::lint::Item& item) {
  const auto* ftype = item.inherited_text("ftype");
  return (ftype != nullptr && *ftype == "archive.tar.xz") || item.name == "grub2-signed" ||
         item.name == "shim-signed" || item.name == "grub2" || item.name == "syslinux";
}

}  // namespace

const std::vector<ProfileName>& profile_names() {
  static const std::vector<ProfileName> names = {
      {profile::maas, "maas", "MAAS 3.8 and later"},
      {profile::maas_classic, "maas-classic", "MAAS up to 3.7"},
      {profile::lxd, "lxd", "LXD"},
      {profile::incus, "incus", "Incus"},
      {profile::juju, "juju", "Juju"},
      {profile::simplestreams, "simplestreams", "the Python simplestreams tools"}};
  return names;
}

Profiles profile_of(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& one : profile_names()) {
    if (one.name == name) {
      return one.bit;
    }
    known.push_back(one.name);
  }
  throw base::Error(base::Errc::usage,
                    base::cat("profile '", name, "': there are only ", base::join(known, ", ")));
}

std::string names_of(Profiles profiles, std::string_view separator) {
  std::vector<std::string> names;
  for (const auto& one : profile_names()) {
    if ((profiles & one.bit) != 0) {
      names.push_back(one.name);
    }
  }
  return base::join(names, separator);
}

Profiles detect_profiles(const std::string& content_id, const sstream::lint::Survey& survey) {
  Profiles found = profile::simplestreams;
  const auto& ftypes = survey.ftypes;
  if (has_part(content_id, "maas") || any_of(ftypes, {"boot-kernel", "boot-initrd", "root-tgz"})) {
    // The second generation of MAAS's streams has no manifests: MAAS 3.8 is not whom it is for.
    found |= has_part(content_id, "v2") ? profile::maas_classic : profile::maas;
  }
  if (any_of(ftypes, {"lxd.tar.xz", "lxd_combined.tar.gz"})) {
    found |= profile::lxd;
  }
  if (any_of(ftypes, {"incus.tar.xz", "incus_combined.tar.gz"})) {
    found |= profile::incus;
  }
  const auto* datatype = survey.tags.text("datatype");
  if (datatype != nullptr && *datatype == "image-ids" &&
      (found & (profile::maas | profile::maas_classic)) == 0) {
    found |= profile::juju;
  }
  return found;
}

int maas_kind_of(const sstream::lint::Product& product, const sstream::lint::Version& first) {
  if (product.tags.find("bootloader-type") != nullptr ||
      std::any_of(first.begin(), first.end(), is_bootloader)) {
    return maas_bootloader;
  }
  for (const char* name : {"boot-kernel", "boot-initrd"}) {
    if (first.item(name) != nullptr) {
      return maas_multi;
    }
  }
  if (first.item("root-tgz") != nullptr) {
    return maas_single;
  }
  const bool root = first.item("squashfs") != nullptr || first.item("root-image.gz") != nullptr;
  return root ? maas_multi : maas_none;
}

bool containers_read(const sstream::lint::ProductsFile& file) {
  const auto* listed = file.listed;
  const auto* entry = listed != nullptr ? sstream::lint::member(*listed, "datatype") : nullptr;
  const auto* said = sstream::lint::text_of(entry);
  const auto* datatype = said != nullptr ? said : file.text("datatype");
  return datatype != nullptr && *datatype == "image-downloads";
}

}  // namespace meph2

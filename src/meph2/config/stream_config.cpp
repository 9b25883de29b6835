#include "meph2/config/stream_config.h"

#include <algorithm>

#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "base/template.h"
#include "io/http/http.h"
#include "meph2/config/reader.h"

namespace meph2 {

namespace {

/// A file name's tail, such as ".xgene".
std::string read_suffix(const ConfigValue& value) {
  auto suffix = value.string();
  if (base::unsafe_path_reason("boot-kernel" + suffix) != nullptr ||
      suffix.find_first_of("/,= ") != std::string::npos) {
    value.reject(base::cat("'", suffix, "': must be fit for the end of a file name"));
  }
  return suffix;
}

/// What becomes a part of --krd-pack=, whose parts are separated by commas.
std::string read_pack_part(const ConfigValue& value) {
  auto text = value.string();
  if (text.find_first_of(",= \t\n") != std::string::npos || text.starts_with("-")) {
    value.reject(base::cat("'", text, "': must have no comma, blank or '=', nor begin with '-'"));
  }
  return text;
}

void read_kernel_data(const ConfigValue& data, KernelRow& row) {
  data.allow_keys({"suffix", "kihelper", "dtb", "di-format"});
  data.read("suffix", row.suffix, read_suffix);
  data.read("kihelper", row.kihelper, read_pack_part);
  data.read("dtb", row.dtb, read_pack_part);
  data.read("di-format", row.di_format, &ConfigValue::string);
}

KernelRow read_row(const ConfigValue& value) {
  const auto fields = value.elements();
  if (fields.size() != 6 && fields.size() != 7) {
    value.reject(
        base::cat("must have 6 or 7 elements, [krel, arch, subarch, flavor, package, [subarches], "
                  "{suffix, kihelper, dtb, di-format}], not ",
                  fields.size()));
  }
  KernelRow row;
  row.where = value.where();
  row.krel = fields[0].word(name_characters, max_release);
  row.arch = fields[1].word(name_characters, max_name);
  row.subarch = fields[2].word(name_characters, max_name);
  row.flavor = fields[3].word(name_characters, max_name);
  row.kpackage = fields[4].word(name_characters, max_package);
  for (const auto& subarch : fields[5].elements()) {
    row.subarches.push_back(subarch.word(name_characters, max_name));
  }
  if (row.subarches.empty()) {
    fields[5].reject("must not be empty");
  }
  if (fields.size() == 7 && !fields[6].json().is_null()) {
    read_kernel_data(fields[6], row);
  }
  return row;
}

std::string read_version(const ConfigValue& value) {
  if (value.json().is_number()) {
    value.reject("must be a string; quote it (unquoted, 24.10 is the number 24.1)");
  }
  return value.word(name_characters, max_name);
}

ReleaseConfig read_release(const ConfigValue& value) {
  value.allow_keys({"version", "release", "builtin_kernel", "kernels"});
  ReleaseConfig release;
  release.version = read_version(value.require("version"));
  release.codename = value.require("release").word(name_characters, max_release);
  if (const auto builtin = value.find("builtin_kernel")) {
    if (builtin->json().is_object()) {
      for (const auto& arch : builtin->keys()) {
        release.builtin_for[arch] = builtin->require(arch).word(name_characters, max_package);
      }
    } else {
      release.builtin_any = builtin->word(name_characters, max_package);
    }
  }
  const auto kernels = value.require("kernels");
  for (const auto& row : kernels.elements()) {
    release.kernels.push_back(read_row(row));
  }
  if (release.kernels.empty()) {
    kernels.reject("must not be empty");
  }
  return release;
}

void read_releases(const ConfigValue& list, StreamConfig& config) {
  for (const auto& element : list.elements()) {
    auto release = read_release(element);
    if (config.release(release.codename) != nullptr) {
      element.require("release").reject(
          base::cat("'", release.codename, "' is there twice; expected one entry for a release"));
    }
    config.releases.push_back(std::move(release));
  }
  if (config.releases.empty()) {
    list.reject("must not be empty");
  }
}

/// The template is tried out at once: an error has a place here, not in the middle of a build.
std::string read_kname(const ConfigValue& value) {
  auto kname = value.string();
  std::map<std::string, std::string> trial;
  for (const auto* name : {"release", "arch", "version_name", "version", "product_id_pre", "krel",
                           "kpkg", "flavor", "psubarch", "subarch", "suffix"}) {
    trial[name] = "x";
  }
  std::string expanded;
  try {
    expanded = base::expand_template(kname, trial);
  } catch (const base::Error& error) {
    value.reject(error.what());
  }
  if (base::unsafe_path_reason(expanded) != nullptr) {
    value.reject(base::cat("'", kname, "': must give a relative path"));
  }
  return kname;
}

void read_what_to_build(const ConfigValue& top, StreamConfig& config) {
  top.read("squashfs", config.squashfs, &ConfigValue::boolean);
  config.root_image = !config.squashfs;
  top.read("root_image", config.root_image, &ConfigValue::boolean);
  if (!config.squashfs && !config.root_image) {
    top.require("squashfs").reject("squashfs and root_image are both False: expected at least one");
  }
  top.read("enable_di", config.enable_di, &ConfigValue::boolean);
  top.read("enable_proposed", config.enable_proposed, &ConfigValue::boolean);
  top.read("proposed_packages", config.proposed_packages, &ConfigValue::comma_list);
  top.read("pre_purge_packages", config.pre_purge_packages, &ConfigValue::comma_list);
}

std::vector<std::string> read_mirrors(const ConfigValue& value) {
  auto mirrors = value.string_or_strings();
  for (const auto& mirror : mirrors) {
    if (!io::is_http_url(mirror)) {
      value.reject(base::cat("'", mirror, "': must be an http or https URL above dists/"));
    }
  }
  return mirrors;
}

void read_installer(const ConfigValue& top, StreamConfig& config) {
  set_installer_defaults(config);
  top.read("di_keyring", config.di_keyring, &ConfigValue::string);
  if (const auto value = top.find("di_mirrors")) {
    config.di_mirrors.clear();
    if (value->json().is_object()) {
      for (const auto& arch : value->keys()) {
        config.di_mirrors[arch] = read_mirrors(value->require(arch));
      }
    } else {
      config.di_mirrors["default"] = read_mirrors(*value);
    }
  }
  if (const auto value = top.find("di_pockets")) {
    config.di_pockets = {""};
    for (const auto& pocket : value->strings()) {
      if (pocket[0] != '-' || pocket.find_first_of("/ ") != std::string::npos) {
        value->reject(base::cat("'", pocket, "': must be like -updates"));
      }
      config.di_pockets.push_back(pocket);
    }
  }
}

void read_our_keys(const ConfigValue& top, StreamConfig& config) {
  if (const auto value = top.find("os")) {
    config.os = value->word(name_characters, max_release);
  }
  config.distro_info = config.os + ".csv";
  if (const auto value = top.find("distro_info")) {
    config.distro_info = value->word(name_characters, max_package);
  }
  if (const auto value = top.find("squashfs_compression")) {
    config.squashfs_compression = value->string();
    const std::vector<std::string> known{"gzip", "xz", "zstd"};
    if (std::ranges::find(known, config.squashfs_compression) == known.end()) {
      value->reject(base::cat("must be one of ", base::join(known, ", ")));
    }
  }
  if (const auto value = top.find("root_image_size")) {
    config.root_image_size = value->string();
    if (!base::parse_bytes(config.root_image_size)) {
      value->reject(base::cat("'", config.root_image_size, "' is not a size such as 1400M"));
    }
  }
  if (config.os == "ubuntu") {
    config.default_source =
        "http://cloud-images.ubuntu.com/daily/streams/v1/com.ubuntu.cloud:daily:download.json";
    config.source_content_ids = {"com.ubuntu.cloud:daily:download",
                                 "com.ubuntu.cloud:candidate:download",
                                 "com.ubuntu.cloud:released:download"};
  }
  top.read("default_source", config.default_source, &ConfigValue::string);
  top.read("source_product_prefix", config.source_product_prefix, &ConfigValue::string);
  top.read("source_content_ids", config.source_content_ids, &ConfigValue::strings);
  read_installer(top, config);
}

}  // namespace

std::set<std::string> ReleaseConfig::arches() const {
  std::set<std::string> arches;
  for (const auto& row : kernels) {
    arches.insert(row.arch);
  }
  return arches;
}

std::string ReleaseConfig::builtin_kernel(const std::string& arch) const {
  if (builtin_any) {
    return *builtin_any;
  }
  if (builtin_for.empty()) {
    return "none";
  }
  for (const auto& key : {arch, std::string("default")}) {
    if (const auto found = builtin_for.find(key); found != builtin_for.end()) {
      return found->second;
    }
  }
  return "linux-generic";
}

void set_installer_defaults(StreamConfig& config) {
  config.di_pockets = {"", "-updates", "-security"};
  if (config.os == "ubuntu") {
    const std::string archive = "http://archive.ubuntu.com/ubuntu";
    config.di_mirrors = {{"amd64", {archive}},
                         {"i386", {archive}},
                         {"default", {"http://ports.ubuntu.com/ubuntu-ports"}}};
    config.di_keyring = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
  } else if (config.os == "debian") {
    config.di_mirrors = {{"default", {"http://deb.debian.org/debian"}}};
    config.di_keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  }
}

std::vector<std::string> StreamConfig::di_mirrors_of(const std::string& arch) const {
  for (const auto& key : {arch, std::string("default")}) {
    if (const auto found = di_mirrors.find(key); found != di_mirrors.end()) {
      return found->second;
    }
  }
  return {};
}

const ReleaseConfig* StreamConfig::release(const std::string& codename) const {
  const auto found = std::ranges::find(releases, codename, &ReleaseConfig::codename);
  return found == releases.end() ? nullptr : &*found;
}

const ReleaseConfig& StreamConfig::require_release(const std::string& codename) const {
  const auto* found = release(codename);
  if (found == nullptr) {
    std::vector<std::string> known;
    for (const auto& entry : releases) {
      known.push_back(entry.codename);
    }
    throw base::Error(base::Errc::usage, base::cat("release '", codename, "' is not in ", file,
                                                   "; it has ", base::join(known, ", ")));
  }
  return *found;
}

void StreamConfig::require_arch(const ReleaseConfig& release, const std::string& arch) const {
  const auto arches = release.arches();
  if (!arches.contains(arch)) {
    throw base::Error(
        base::Errc::usage,
        base::cat("arch '", arch, "' is not supported for release '", release.codename, "'; ", file,
                  " has kernels for ", base::join({arches.begin(), arches.end()}, ", ")));
  }
}

StreamConfig parse_stream_config(std::string_view text, const std::string& name) {
  const auto yaml = io::parse_yaml(text, name);
  const ConfigValue top(yaml);
  // `subarches` and `misc` only hold anchors: nobody reads them.
  top.allow_keys({"subarches",          "misc",
                  "releases",           "content_id",
                  "product_id_pre",     "kname",
                  "default_target",     "squashfs",
                  "root_image",         "enable_di",
                  "enable_proposed",    "proposed_packages",
                  "pre_purge_packages", "os",
                  "distro_info",        "squashfs_compression",
                  "root_image_size",    "default_source",
                  "source_content_ids", "source_product_prefix",
                  "di_mirrors",         "di_keyring",
                  "di_pockets"});
  StreamConfig config;
  config.file = name;
  read_releases(top.require("releases"), config);
  config.content_id = top.require("content_id").word(name_characters + ":", max_package);
  config.product_id_pre = top.require("product_id_pre").word(name_characters + ":", max_package);
  top.read("kname", config.kname, read_kname);
  top.read("default_target", config.default_target, &ConfigValue::string);
  read_what_to_build(top, config);
  read_our_keys(top, config);
  return config;
}

StreamConfig read_stream_config(const std::string& path) {
  return parse_stream_config(base::read_file(path, 16ULL << 20U), path);
}

}  // namespace meph2

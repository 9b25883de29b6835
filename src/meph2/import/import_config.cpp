#include "meph2/import/import_config.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "meph2/config/reader.h"
#include "meph2/config/stream_config.h"

namespace meph2::import {

namespace {

constexpr std::size_t max_url = 2000;

std::string text_of(const ConfigValue& entry, const std::string& key,
                    const std::string& otherwise) {
  const auto value = entry.find(key);
  return value ? value->text() : otherwise;
}

/// Becomes a directory of the repository.
std::string part_of(const ConfigValue& value, std::size_t most) {
  auto text = value.text();
  if (base::unsafe_path_reason(text) != nullptr || text.find('/') != text.npos) {
    value.reject(base::cat("'", text, "': must be fit for the name of a directory"));
  }
  if (text.size() > most) {
    value.reject(base::cat("'", text, "': must be at most ", most, " characters long"));
  }
  return text;
}

std::string url_of(const ConfigValue& value) {
  auto url = value.string();
  if (!io::is_http_url(url)) {
    value.reject(base::cat("'", url, "': must be an http or https URL"));
  }
  return url;
}

void read_archives(const ConfigValue& list, Bootloader& loader) {
  for (const auto& entry : list.elements()) {
    entry.allow_keys({"archive", "suites", "components"});
    const auto url = url_of(entry.require("archive"));
    std::vector<std::string> components{"main"};
    entry.read("components", components, &ConfigValue::strings);
    for (const auto& suite : entry.require("suites").elements()) {
      loader.sources.push_back({url, part_of(suite, max_package), components});
    }
  }
  if (loader.sources.empty()) {
    list.reject("must not be empty");
  }
}

/// `archive` and `release`: an archive laid out as Ubuntu's is.
void read_archive(const ConfigValue& entry, Bootloader& loader, bool proposed) {
  const auto url = url_of(entry.require("archive"));
  std::vector<std::string> components{"main"};
  if (const auto universe = entry.find("allow_universe"); universe && universe->boolean()) {
    components.emplace_back("universe");
  }
  std::vector<std::string> pockets{"-updates", "-security", ""};
  if (proposed) {
    pockets.insert(pockets.begin(), "-proposed");
  }
  for (const auto& pocket : pockets) {
    loader.sources.push_back({url, loader.release + pocket, components});
  }
}

/// "usr/lib/shim/shimx64.efi.signed, bootx64.efi"
FilePattern read_pattern(const ConfigValue& value) {
  const auto words = base::split_list(value.string(), ',');
  if (words.empty() || words.size() > 2) {
    value.reject("must be 'PATTERN' or 'PATTERN, NAME'");
  }
  FilePattern file{words[0], words.size() == 2 ? words[1] : ""};
  while (file.pattern.ends_with('/')) {
    file.pattern.pop_back();
  }
  if (base::unsafe_path_reason(file.pattern) != nullptr) {
    value.reject(base::cat("'", file.pattern, "': must be a relative path"));
  }
  if (!file.name.empty() && (base::unsafe_path_reason(file.name) != nullptr)) {
    value.reject(base::cat("'", file.name, "': must be a relative path"));
  }
  if (!file.name.empty() && file.pattern.find_first_of("*?") != file.pattern.npos) {
    value.reject("one name for all that a pattern gives");
  }
  return file;
}

void read_grub(const ConfigValue& entry, Bootloader& loader) {
  const auto format = entry.find("grub_format");
  if (!format) {
    return;
  }
  loader.grub_format = format->word(name_characters, max_name);
  loader.grub_output = part_of(entry.require("grub_output"), max_package);
  loader.grub_config = text_of(entry, "grub_config", "");
  if (const auto modules = entry.find("grub_modules")) {
    for (const auto& module : modules->elements()) {
      loader.grub_modules.push_back(module.word(name_characters, max_name));
    }
  }
  if (loader.files.size() != 1) {
    entry.require("files").reject("with grub_format: must be the one directory of the modules");
  }
}

Bootloader read_bootloader(const ConfigValue& entry, bool proposed) {
  entry.allow_keys({"firmware-platform", "packages", "arch", "arches", "archive", "archives",
                    "release", "allow_universe", "os", "files", "src_names", "grub_format",
                    "grub_output", "grub_config", "grub_modules"});
  Bootloader loader;
  loader.where = entry.where();
  loader.platform = entry.require("firmware-platform").word(name_characters, max_name);
  loader.arch = entry.require("arch").word(name_characters, max_name);
  loader.arches = entry.require("arches").comma_list();
  loader.os = entry.require("os").word(name_characters, max_release);
  loader.release = part_of(entry.require("release"), max_package);
  if (const auto archives = entry.find("archives")) {
    read_archives(*archives, loader);
  } else {
    read_archive(entry, loader, proposed);
  }
  for (const auto& package : entry.require("packages").elements()) {
    loader.packages.push_back(package.word(name_characters, max_package));
  }
  for (const auto& file : entry.require("files").elements()) {
    loader.files.push_back(read_pattern(file));
  }
  if (const auto names = entry.find("src_names")) {
    for (const auto& key : names->keys()) {
      loader.src_names.emplace_back(key, names->require(key).word(name_characters, max_package));
    }
  }
  if (loader.packages.empty() || loader.files.empty()) {
    entry.reject("packages and files must not be empty");
  }
  read_grub(entry, loader);
  return loader;
}

BootloaderConfig read_bootloaders(const ConfigValue& top, const ConfigValue& list, bool proposed) {
  BootloaderConfig config;
  config.keyring = text_of(top, "keyring", "");
  for (const auto& entry : list.elements()) {
    config.bootloaders.push_back(read_bootloader(entry, proposed));
  }
  if (config.bootloaders.empty()) {
    list.reject("must not be empty");
  }
  return config;
}

bool is_full_version(const std::string& text) {
  const auto parts = base::split(text, '.');
  return parts.size() == 3 && std::ranges::all_of(parts, [](const auto& part) {
           return base::parse_decimal(part).has_value();
         });
}

io::Json read_notification(const ConfigValue& value) {
  const auto version = value.require("maas_version");
  if (!version.json().is_string() || !is_full_version(version.string())) {
    version.reject("must be a string with three numbers, such as \"2.9.1\"");
  }
  return value.json();
}

/// "02" is the octal number 2 to YAML.
std::string two_digits(const std::string& text) {
  return text.size() == 1 ? "0" + text : text;
}

IndexedImage read_indexed(const ConfigValue& top, const std::string& release,
                          const ConfigValue& entry) {
  entry.allow_keys({"version", "path_version", "release_title", "curtin_files", "revision",
                    "release", "packages", "os", "arch", "support_eol"});
  IndexedImage image;
  if (const auto packages = entry.find("packages")) {
    for (const auto& package : packages->elements()) {
      image.packages.push_back(package.word(name_characters + ":/%@~^", max_url));
    }
  }
  image.curtin_files = text_of(entry, "curtin_files", "");
  image.where = entry.where();
  image.release = release;
  image.version = part_of(entry.require("version"), max_name);
  image.path_version = text_of(entry, "path_version", image.version);
  image.release_title = text_of(entry, "release_title", base::cat(release, " ", image.version));
  image.os = text_of(entry, "os", text_of(top, "os", ""));
  image.arch = text_of(entry, "arch", text_of(top, "arch", ""));
  image.revision = text_of(entry, "revision", "");
  image.build = two_digits(text_of(entry, "release", "01"));
  image.support_eol = text_of(entry, "support_eol", "");
  if (image.os.empty() || image.arch.empty()) {
    entry.reject("os and arch are neither here nor at the top");
  }
  return image;
}

ImageIndexConfig read_image_index(const ConfigValue& top, const ConfigValue& url) {
  ImageIndexConfig config;
  config.url = url_of(url);
  for (const auto& [key, mirror] : {std::pair{"base_mirror", &config.base_mirror},
                                    std::pair{"epel_mirror", &config.epel_mirror}}) {
    if (const auto value = top.find(key)) {
      *mirror = url_of(*value);
      while (mirror->ends_with('/')) {
        mirror->pop_back();
      }
    }
  }
  const auto versions = top.require("versions");
  for (const auto& release : versions.keys()) {
    config.images.push_back(read_indexed(top, release, versions.require(release)));
  }
  return config;
}

PackerTemplate read_template(const std::string& name, const ConfigValue& entry) {
  entry.allow_keys({"os", "release", "version", "release_title", "support_eol", "yum_mirror",
                    "ks_mirror", "curtin_hooks", "arch"});
  PackerTemplate out;
  out.where = entry.where();
  out.name = name;
  out.os = entry.require("os").word(name_characters, max_release);
  out.release = part_of(entry.require("release"), max_release);
  out.version = part_of(entry.require("version"), max_name);
  out.release_title = text_of(entry, "release_title", base::cat(out.os, " ", out.version));
  out.support_eol = text_of(entry, "support_eol", "");
  out.mirror = text_of(entry, "ks_mirror", text_of(entry, "yum_mirror", ""));
  out.curtin_hooks = text_of(entry, "curtin_hooks", "");
  out.arch = text_of(entry, "arch", "amd64");
  return out;
}

PackerConfig read_packer(const ConfigValue& top, const ConfigValue& list) {
  PackerConfig config;
  config.directory = text_of(top, "directory", "");
  for (const auto& name : list.keys()) {
    if (base::unsafe_path_reason(name) != nullptr || name.find('/') != name.npos) {
      list.require(name).reject("its key must be fit for the name of a directory");
    }
    config.templates.push_back(read_template(name, list.require(name)));
  }
  return config;
}

void read_ids(const ConfigValue& top, ImportConfig& config) {
  const auto content_id = top.require("content_id");
  config.content_id = content_id.string();
  if (base::unsafe_path_reason(config.content_id) != nullptr ||
      config.content_id.find('/') != std::string::npos) {
    content_id.reject("must be fit for the name of a file");
  }
  config.product_id = top.require("product_id").string();
}

ImportConfig config_of(const ConfigValue& top, bool proposed) {
  ImportConfig config;
  top.allow_keys({"product_id", "content_id", "bootloaders", "keyring", "release-notification",
                  "image_index", "base_mirror", "epel_mirror", "os", "arch", "versions",
                  "packer-maas", "directory"});
  if (const auto list = top.find("packer-maas")) {
    config.packer = read_packer(top, *list);
    config.content_id = text_of(top, "content_id", "com.ubuntu.maas:candidate:{os}-bases-download");
    config.product_id =
        text_of(top, "product_id", "com.ubuntu.maas.candidate:{os}-bases:{version}:{arch}");
    return config;
  }
  read_ids(top, config);
  if (const auto url = top.find("image_index")) {
    config.image_index = read_image_index(top, *url);
  } else if (const auto list = top.find("bootloaders")) {
    config.bootloaders = read_bootloaders(top, *list, proposed);
  } else if (const auto note = top.find("release-notification")) {
    config.notification = read_notification(*note);
  } else {
    top.reject(
        "one of the keys bootloaders, image_index, packer-maas and release-notification expected");
  }
  return config;
}

}  // namespace

io::Json product_tags(const DeployedImage& image) {
  io::Json tags{{"arch", image.arch},     {"label", "candidate"},
                {"os", image.os},         {"release", image.release},
                {"subarch", "generic"},   {"release_title", image.release_title},
                {"subarches", "generic"}, {"version", image.version}};
  if (!image.support_eol.empty()) {
    tags["support_eol"] = image.support_eol;
  }
  return tags;
}

ImportConfig parse_import_config(std::string_view text, const std::string& name, bool proposed) {
  const auto yaml = io::parse_yaml(text, name);
  auto config = config_of(ConfigValue(yaml), proposed);
  config.file = name;
  return config;
}

ImportConfig read_import_config(const std::string& name, bool proposed) {
  auto path = name;
  if (!base::exists_at(AT_FDCWD, path)) {
    const bool plain = name.find('/') == std::string::npos;
    path = plain ? shipped_config(name) : name;
    if (!base::exists_at(AT_FDCWD, path)) {
      throw base::Error(base::Errc::usage,
                        base::cat("read configuration ", name, ": there is none, neither here ",
                                  plain ? base::cat("nor as ", path) : std::string("nor shipped")));
    }
  }
  constexpr std::uint64_t largest = 16ULL << 20U;
  return parse_import_config(base::read_file(path, largest), path, proposed);
}

std::string filled_in(const std::string& text,
                      const std::vector<std::pair<std::string, std::string>>& values,
                      const std::string& where) {
  auto out = text;
  for (const auto& [key, value] : values) {
    out = base::replace_all(out, base::cat("{", key, "}"), value);
  }
  if (out.find_first_of("{}") != std::string::npos) {
    throw base::Error(base::Errc::usage,
                      base::cat(where, ": '", text, "': a name in braces that is not known here"));
  }
  return out;
}

}  // namespace meph2::import

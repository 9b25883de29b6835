#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json/json.h"

namespace meph2::import {

/// An archive to take packages from, or one suite of it.
struct ArchiveSource {
  std::string url;
  std::string suite;
  std::vector<std::string> components;

  bool operator==(const ArchiveSource&) const = default;
};

/// A file, or several, of a package: a pattern (`*` and `?`, not across "/") and the name in the
/// archive; empty: its own.
struct FilePattern {
  std::string pattern;
  std::string name;
};

/// One entry of `bootloaders`: what a kind of machines boots from.
struct Bootloader {
  std::string platform;  ///< firmware-platform: pxe, uefi, open-firmware
  std::string arch;
  std::string arches;
  std::string os;
  std::string release;                 ///< becomes src_release
  std::vector<ArchiveSource> sources;  ///< all of them are asked, the newest version wins
  std::vector<std::string> packages;
  std::vector<FilePattern> files;
  /// Source packages whose files belong to the item of another name: MAAS knows four names.
  std::vector<std::pair<std::string, std::string>> src_names;
  std::string grub_format;  ///< empty: the files are taken as they are
  std::string grub_output;
  std::string grub_config;
  std::vector<std::string> grub_modules;  ///< empty: all there are
  std::string where;                      ///< "FILE:LINE:COLUMN", for messages
};

struct BootloaderConfig {
  std::string keyring;  ///< empty: see archive_keyring()
  std::vector<Bootloader> bootloaders;
};

/// An image that MAAS deploys as it is, as its product's tags tell of it.
struct DeployedImage {
  std::string os;
  std::string release;
  std::string version;  ///< of the release
  std::string release_title;
  std::string arch;
  std::string support_eol;  ///< YYYY-MM-DD; empty: not said
};

/// The tags of its product, with the label candidate.
io::Json product_tags(const DeployedImage& image);

/// One entry of `versions` of an image_index configuration.
struct IndexedImage : DeployedImage {
  std::string path_version;
  std::string revision;               ///< empty: the newest ones
  std::string build = "01";           ///< key `release`: the end of the version's name
  std::vector<std::string> packages;  ///< to install into it: names, or URLs of RPMs
  std::string curtin_files;           ///< directory that becomes /curtin, with {curtin_path}
  std::string where;
};

struct ImageIndexConfig {
  std::string url;  ///< with {version}
  /// In the place of mirror.centos.org, and of EPEL's server, while packages are installed.
  std::string base_mirror;
  std::string epel_mirror;
  std::vector<IndexedImage> images;
};

/// One entry of `packer-maas`: a directory of that name with a Makefile.
struct PackerTemplate : DeployedImage {
  std::string name;
  std::string mirror;        ///< KS_MIRROR
  std::string curtin_hooks;  ///< CURTIN_HOOKS
  std::string where;
};

struct PackerConfig {
  std::string directory;  ///< that holds the templates; empty: packer-maas beside the file
  std::vector<PackerTemplate> templates;
};

/// What meph2-import is told to bring in (docs/format.md 4.6): exactly one of the four is set.
struct ImportConfig {
  std::string file;
  std::string content_id;  ///< packer-maas may have {os}
  std::string product_id;  ///< a template with {os}, {version}, {arch}, {firmware_platform}
  std::optional<BootloaderConfig> bootloaders;
  io::Json notification;  ///< with its types; null: none
  std::optional<ImageIndexConfig> image_index;
  std::optional<PackerConfig> packer;
};

/// Error(usage) "FILE:LINE:COLUMN: KEY: what was expected" for anything unknown, missing, of the
/// wrong type, or unfit for a path. `proposed`: packages of the suite RELEASE-proposed count as
/// well.
ImportConfig parse_import_config(std::string_view text, const std::string& name,
                                 bool proposed = false);

/// `name` as a path, else as the name of a file that is shipped in conf/. Error(usage) where it is
/// neither.
ImportConfig read_import_config(const std::string& name, bool proposed = false);

/// "{os}-{arch}" with these values; Error(usage) for another name in braces.
std::string filled_in(const std::string& text,
                      const std::vector<std::pair<std::string, std::string>>& values,
                      const std::string& where);

}  // namespace meph2::import

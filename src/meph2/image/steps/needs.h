#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meph2::image {

/// What makes initrds that boot the image over the network.
struct InitrdNeeds {
  std::vector<std::string> generator;
  std::vector<std::string> initrd_packages;
  std::vector<std::string> initrd_optional;
  std::vector<std::string> dracut_packages;
  std::vector<std::string> purge;
  std::vector<std::string> modules;
  std::vector<std::string> dracut_modules;
  std::vector<std::string> dracut_drivers;
  std::map<std::string, std::string> files;
  std::vector<std::string> scratch_remove;
  std::vector<std::string> divert;
};

/// What a release needs (conf/builder.yaml).
struct ReleaseNeeds {
  std::string compression;
  InitrdNeeds initrd;
  std::map<std::string, std::string> proposed_mirrors;  ///< by architecture, or "default"
  std::string proposed_suite;
  std::string proposed_components;
};

/// What an image says of itself.
struct OsRelease {
  std::string id;        ///< "debian"
  std::string codename;  ///< "bookworm"
};

OsRelease parse_os_release(std::string_view text);

/// Reads a file of needs. Error(usage) "FILE:LINE:COLUMN: ..." for unknown keys and wrong types,
/// and where no row fits.
ReleaseNeeds read_needs(const std::string& path, const OsRelease& os);

/// The file that --conf defaults to.
std::string default_needs_path();

}  // namespace meph2::image

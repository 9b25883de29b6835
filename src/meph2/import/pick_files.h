#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "meph2/import/import_config.h"

namespace meph2::import {

/// Whether a path matches a pattern of `*` and `?`, neither of which stands for a "/".
bool matches(std::string_view pattern, std::string_view path);

/// Whether any of the patterns takes the file, or, with grub modules, it lies in that directory.
bool wants(const Bootloader& loader, const std::string& path);

/// A package's files under the names that they get in the archive: that of the pattern, else their
/// own last part. Counts in `hits`, by pattern, what was taken.
std::map<std::string, std::string> pick_files(const Bootloader& loader,
                                              const std::map<std::string, std::string>& files,
                                              std::vector<std::size_t>& hits);

/// What grub-mkimage makes of a package's modules (`files`, those of the one directory that the
/// configuration names): the content of grub_output. Error(not_found) where there is no
/// grub-mkimage.
std::string make_grub_image(const Bootloader& loader,
                            const std::map<std::string, std::string>& files,
                            const std::stop_token& stop);

}  // namespace meph2::import

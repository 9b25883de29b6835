#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "meph2/import/import_config.h"

namespace meph2::import {

/// What grub-mkimage makes of a package's modules (`files`, those of the one directory that the
/// configuration names): the content of grub_output. Error(not_found) where there is no
/// grub-mkimage.
std::string make_grub_image(const Bootloader& loader,
                            const std::map<std::string, std::string>& files,
                            const std::stop_token& stop);

}  // namespace meph2::import

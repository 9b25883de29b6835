#pragma once

#include <string_view>

namespace meph2::apt {

/// Orders Debian versions, [EPOCH:]UPSTREAM[-REVISION] (deb-version(7)).
bool version_less(std::string_view left, std::string_view right);

}  // namespace meph2::apt

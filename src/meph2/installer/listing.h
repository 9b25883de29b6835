#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/hash/digest.h"

namespace meph2::installer {

/// The names of the directories in what a server sends for a directory: an HTML index of Apache,
/// nginx, lighttpd or Python (links that end in a slash), or plain text with a name on each line.
/// Links that lead elsewhere are left out. Sorted, each once.
std::vector<std::string> parse_directories(std::string_view text);

/// Whether a directory holds one version of the installer: its name begins with a date,
/// "20101020ubuntu451.30", "20230607+deb12u15".
bool is_version_name(std::string_view name);

/// Path -> digest (lower-case hex) of a SHA256SUMS or MD5SUMS. Error(untrusted) "NAME:LINE: ..."
/// for anything else, for an unsafe path, and for one that is there twice with different digests.
std::map<std::string, std::string> parse_sums(std::string_view text, io::Algorithm algorithm,
                                              const std::string& name);

}  // namespace meph2::installer

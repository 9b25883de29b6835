#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"
#include "meph2/build/report.h"
#include "sstream/repository/context.h"

namespace meph2 {

/// The keys that the root in a squashfs believes archives by (/usr/share/keyrings,
/// /etc/apt/trusted.gpg.d); nothing where there are none. Error(untrusted) for a damaged squashfs.
std::optional<io::Keyring> archive_keys_of(base::File& squashfs);

/// The newest versions of the packages `names` that these archives offer now for `arch`: what apt
/// would take, but for pins and for suites of backports, which it does not take from unasked and
/// which are left out. Error where one of the archives cannot be had or verified.
std::map<std::string, std::string> offered_packages(const std::vector<UsedArchive>& archives,
                                                    const std::set<std::string>& names,
                                                    const std::string& arch,
                                                    const io::Keyring& keyring,
                                                    const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meph2/lint/profiles.h"
#include "sstream/repository/repository.h"

namespace meph2 {

/// For whom a repository is, as its operator has said (DIR/.data/.sstream/lint.json,
/// {"profiles": ["maas", ...]}); none: as detect_profiles() finds it. An unusable file is an
/// Error(usage).
std::optional<Profiles> chosen_profiles(const sstream::Repository& repository);

/// Says so for the data directory; no names: it is to be found again.
void choose_profiles(const std::string& directory, const std::vector<std::string>& names);

}  // namespace meph2

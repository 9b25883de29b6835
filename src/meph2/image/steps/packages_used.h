#pragma once

#include <string>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/chroot.h"

namespace meph2::image {

/// One line for each list of packages that apt has: what read_archives understands.
inline constexpr const char* archive_format = "$(REPO_URI)\t$(RELEASE)\t$(METAKEY)\t$(FILENAME)";

/// What `apt-get indextargets` of an image printed in archive_format as `[{"sha256", "suite",
/// "url"}]`: sorted, each once, with the digest of the InRelease file (Release, where the archive
/// is not signed) that the lists came with. Lists whose file is not there are left out. Passwords
/// in URLs are, too.
io::Json read_archives(const ImageRoot& root, const std::string& targets);

/// The archives whose lists the image holds now; none where its apt cannot tell (before 1.1).
io::Json archives_in_use(const Chroot& chroot);

/// `{"name": "version"}` of those of these packages that are installed. Words are as apt-get takes
/// them: "name/suite", "name=version".
io::Json versions_of(const std::vector<std::string>& words, const std::vector<Package>& packages);

}  // namespace meph2::image

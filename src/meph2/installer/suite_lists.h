#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/http/http.h"
#include "io/openpgp/openpgp.h"
#include "sstream/format/checksums.h"
#include "sstream/repository/context.h"

namespace meph2::installer {

/// The lists of digests of installers that a suite's InRelease vouches for. Debian's does; Ubuntu's
/// leaves it to a detached signature beside each list.
class SuiteLists {
 public:
  /// `in_release`: for the InRelease of the suite ("bookworm-updates"). Empty where no mirror has
  /// one, or without a verifier. Error(untrusted) where it has no good signature.
  static SuiteLists read(const io::Request& in_release, const std::string& suite,
                         const io::Verifier* verifier, const sstream::Context& context);

  /// `path` below the suite: "main/installer-amd64/20230607/images/SHA256SUMS".
  std::optional<sstream::Checksums> find(const std::string& path) const;

  /// The names in the directory `below` ("main/installer-amd64/") that lead to a list.
  std::vector<std::string> directories(const std::string& below) const;

 private:
  std::map<std::string, sstream::Checksums> lists_;
};

}  // namespace meph2::installer

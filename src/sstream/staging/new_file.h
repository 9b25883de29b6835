#pragma once

#include <string>
#include <vector>

#include "sstream/format/checksums.h"

namespace sstream {

/// A data file that a publication brings in.
struct NewFile {
  std::string path;  ///< in the repository
  Checksums expected;
  std::string origin;     ///< local path, or http(s) URL
  bool may_link = false;  ///< the local file may be hard-linked: nobody writes to it in place
  std::vector<std::string> mirrors = {};  ///< other URLs of the same content, tried in turn
  bool known = false;  ///< was verified when it came: of a file in place only the size is looked at
  bool replace = false;  ///< a file in place with other content is replaced, in one step
};

}  // namespace sstream

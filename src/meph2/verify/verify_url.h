#pragma once

#include <string>
#include <vector>

#include "base/fs/temp_dir.h"
#include "sstream/repository/context.h"
#include "sstream/verify/problem.h"

namespace meph2 {

/// A copy of a stream's metadata: the index, what it names, and both signatures of each, as far as
/// they are there. Error(not_found) without an index.
base::TempDir fetch_metadata(const std::string& url, const sstream::Context& context);

/// Asks the server for the heads of the files, `check.jobs` at a time: whether each is there, with
/// its size where the answer tells. Where a redirect leads to is not looked at.
sstream::DataVerdict probe_files(const std::string& url,
                                 const std::vector<sstream::DataFile>& files,
                                 const sstream::DataCheck& check, const sstream::Context& context);

/// Downloads the files, `check.jobs` at a time, compares them with what is promised and keeps none.
sstream::DataVerdict fetch_and_verify(const std::string& url,
                                      const std::vector<sstream::DataFile>& files,
                                      const sstream::DataCheck& check,
                                      const sstream::Context& context);

}  // namespace meph2

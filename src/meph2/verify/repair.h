#pragma once

#include <vector>

#include "meph2/verify/verify.h"

namespace meph2 {

/// Fetches the files of `problems` (missing or damaged ones of `files`, which is sorted by path)
/// from options.repair_from; sets what became of each.
void repair_files(const VerifyOptions& options, const std::vector<sstream::DataFile>& files,
                  std::vector<FoundProblem>& problems, const sstream::Context& context);

/// Signs again what one good signature vouches for.
void repair_signatures(const VerifyOptions& options, VerifyResult& result,
                       const sstream::Context& context);

/// Takes the versions out that name a file which is still broken.
void drop_broken(const VerifyOptions& options, VerifyResult& result,
                 const sstream::Context& context);

}  // namespace meph2

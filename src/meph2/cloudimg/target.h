#pragma once

#include <string>

#include "meph2/config/stream_config.h"
#include "sstream/format/product_tree.h"
#include "sstream/repository/context.h"
#include "sstream/repository/generation.h"

namespace meph2 {

/// The metadata of the MAAS stream at `where` (a products file, an index, or what lies above
/// streams/v1) that the output carries over: the products of the configuration's content id.
/// Others, left over from an older generation of streams, are dropped with a warning
/// (docs/format.md 4.5).
sstream::ProductTree read_target(const std::string& where, const StreamConfig& config,
                                 const sstream::Context& context);

/// `target` plus what the repository has and the target lacks, as far as it was built there (its
/// files are in place); all of it when `keep_all`.
sstream::ProductTree carried_over(const sstream::ProductTree& target,
                                  const sstream::Generation& live, const std::string& repository,
                                  bool keep_all);

}  // namespace meph2

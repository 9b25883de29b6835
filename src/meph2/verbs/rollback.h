#pragma once

#include <string>

#include "sstream/publish/publication.h"

namespace meph2 {

struct RollbackOptions {
  std::string target;      ///< data directory
  std::string generation;  ///< name or number; empty: the newest one that is kept
  std::string product;     ///< only this product goes back; empty: everything
  sstream::PublishOptions publish;
};

struct RollbackResult {
  std::string generation;  ///< the one whose content is live again
  sstream::PublishResult published;
};

/// Makes the content of a replaced generation live again, as a new generation (`updated` goes
/// forward): one transaction. Refused when a file that it names is gone or has another size; the
/// message names it. A second rollback undoes the first.
RollbackResult rollback(const RollbackOptions& options, const sstream::Context& context);

}  // namespace meph2

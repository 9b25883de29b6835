#pragma once

#include <string>

#include "sstream/publish/publication.h"

namespace meph2 {

struct SignOptions {
  std::string target;  ///< a data directory
  sstream::PublishOptions publish;
};

/// Publishes what is there: regenerates the index, and signs what is not signed as it should be.
sstream::PublishResult sign(const SignOptions& options, const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <string>
#include <vector>

#include "sstream/publish/publication.h"

namespace meph2 {

struct RemoveVersionOptions {
  std::string target;
  std::string version;
  std::vector<std::string> filters;
  bool force = false;  ///< also what is held
  sstream::PublishOptions publish;
};

struct RemoveVersionResult {
  std::vector<std::string> products;  ///< that the version was removed from
  sstream::PublishResult published;
};

/// Takes a version out of the metadata of every product that has it and whose items match the
/// filters (inherited tags included). The files stay, for the janitor. Error(not_found) when no
/// product has it, Error(refused) when it is held.
RemoveVersionResult remove_version(const RemoveVersionOptions& options,
                                   const sstream::Context& context);

}  // namespace meph2

#pragma once

#include <string>
#include <vector>

#include "meph2/supply/add_versions.h"

namespace meph2 {

struct CopyVersionOptions {
  std::string target;  ///< data directory
  std::string from;
  std::string to;
  std::vector<std::string> filters;
  sstream::PublishOptions publish;
};

struct CopyVersionResult {
  std::vector<std::string> products;  ///< that got the copy
  AddedItems items;
  sstream::PublishResult published;
};

/// `path` with every component that equals `from` replaced by `to`; nullopt without one.
std::optional<std::string> path_of_copy(const std::string& path, const std::string& from,
                                        const std::string& to);

/// Gives a version a second name, with files of its own, in every product that has it and whose
/// items match the filters. Error(not_found) when none has it; Error(conflict) naming both digests
/// for one that has `to` with other items (the same ones are no change); Error(failed) for an item
/// whose path does not name the version, because the copy would share its file.
CopyVersionResult copy_version(const CopyVersionOptions& options, const sstream::Context& context);

}  // namespace meph2

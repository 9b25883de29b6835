#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meph2/build/builder.h"
#include "sstream/repository/generation.h"

namespace meph2 {

/// Whether a regular file of that size is there under its name.
bool in_place(const sstream::Repository& repository, const std::string& path, std::uint64_t size);

/// The digests of the plan's files when the live metadata of `content_id` names them all and they
/// are in place with the right size: nothing is to be built then. Files that no metadata names are
/// no such proof; a crashed run of another tool may have left them.
std::optional<BuiltFiles> published_files(const std::string& repository,
                                          const sstream::Generation& live,
                                          const std::string& content_id, const BuildPlan& plan);

/// The plan as a products tree of one version, with the sizes and digests of `files`; with
/// stand-ins (a dry run, whose tree only the gate sees) for what is not there.
sstream::ProductTree tree_of(const BuildPlan& plan, const std::string& content_id,
                             const BuiltFiles& files);

/// Puts the version into `target`, product by product; products that have it just so stay
/// untouched. Returns the names of those that changed.
std::vector<std::string> add_built_version(const sstream::ProductTree& built,
                                           const std::string& version_name,
                                           sstream::ProductTree& target);

/// What add_built_version must be followed by, once: items' tags end where MAAS looks for them.
void settle(sstream::ProductTree& tree);

}  // namespace meph2

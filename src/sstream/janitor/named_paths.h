#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sstream/janitor/documents.h"

namespace sstream {

/// The one spelling of an item's path: no "//", no ".", ".." taken back; nullopt for what is empty,
/// absolute or leads out.
std::optional<std::string> normal_path(std::string_view path);

/// The same; Error(untrusted) for a path of the document `name` that has none.
std::string required_path(std::string_view path, const std::string& name);

/// For the janitor: as for_each_reference() in one pass over each document, and rather a path too
/// many than one too few: every string under a key `path`, wherever in a document it stands
/// (aliases, other formats), and those of X.sjson where it says something else than X.json.
/// Documents that a newer generation has as well are not read again. `generation`: see Reference.
void for_each_named_path(
    const Repository& repository, const ReferencePolicy& policy,
    const std::function<void(std::string_view path, std::string_view generation)>& visit);

}  // namespace sstream

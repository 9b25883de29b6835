#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "io/openpgp/openpgp.h"
#include "sstream/format/product_tree.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// One place where a generation names a data file. Valid during the call that it is handed to.
struct Reference {
  std::string_view path;  ///< below the repository, in its one spelling (normal_path)
  std::optional<std::uint64_t> size;
  std::string_view sha256;      ///< empty: not promised
  std::string_view generation;  ///< empty: the live one, else the name of a kept one
  const Item* item = nullptr;   ///< who names it, tags inherited
};

/// What has to be true of the metadata before anybody acts on what it does not name.
struct ReferencePolicy {
  const io::Verifier* verifier = nullptr;  ///< set: each live document must be signed for it
  bool live = true;
  bool kept = true;                    ///< also the generations kept for rollback
  bool allow_empty = false;            ///< live metadata that names no file is no error
  std::vector<std::string> documents;  ///< of the live ones only these (file names); empty: all
};

/// The one spelling of an item's path: no "//", no ".", ".." taken back; nullopt for what is empty,
/// absolute or leads out.
std::optional<std::string> normal_path(std::string_view path);

/// Visits every item of every products file that names a data file, in little memory: the live
/// generation's, then those of the kept ones, newest first. Throws when any of it cannot be trusted
/// to be whole: Error(not_found) without streams/v1, an index or a file that the index names;
/// Error(untrusted) for a document that does not parse, is unsigned where a verifier is given,
/// whose path leads out, or that changed while it was read; Error(refused) where the live
/// generation names no file at all.
void for_each_reference(const Repository& repository, const ReferencePolicy& policy,
                        const std::function<void(const Reference& reference)>& visit);

/// The same of one kept generation (by a name of kept_generations()).
void for_each_reference_of(const Repository& repository, const std::string& generation,
                           const std::function<void(const Reference& reference)>& visit);

/// For the janitor: the same checks in one pass over each document, and rather a path too many than
/// one too few: every string under a key `path`, wherever in a document it stands (aliases, other
/// formats), and those of X.sjson where it says something else than X.json. Documents that a newer
/// generation has as well are not read again.
void for_each_named_path(
    const Repository& repository, const ReferencePolicy& policy,
    const std::function<void(std::string_view path, std::string_view generation)>& visit);

/// The same of one kept generation alone.
void for_each_named_path_of(const Repository& repository, const std::string& generation,
                            const std::function<void(std::string_view path)>& visit);

/// When a kept generation stopped being the live one: its successor's `updated` (or, without a
/// readable one, the time its index was written).
base::Time replaced_at(const Repository& repository, const std::string& generation);

}  // namespace sstream

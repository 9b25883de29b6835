#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"
#include "sstream/repository/repository.h"

namespace sstream {

constexpr std::string_view data_streams = "streams/v1/";

/// What is read, and what has to be true of it before anybody acts on what it does not name.
struct ReferencePolicy {
  const io::Verifier* verifier = nullptr;  ///< set: each live document must be signed for it
  bool kept = true;                        ///< after the live generation those kept for rollback
  std::string one{};                       ///< only this kept one, by its name; empty: see `kept`
  bool allow_empty = false;                ///< live metadata that names no file is no error
  std::vector<std::string> documents{};    ///< of the live ones only these (file names); empty: all
};

/// The metadata of one generation; its directory is called by its path.
struct Metadata {
  base::File directory;
  std::string generation;  ///< empty: live
};

/// The generations that the policy asks for, live ("") first, then the newest.
std::vector<std::string> generations_of(const Repository& repository,
                                        const ReferencePolicy& policy);

/// Error(not_found) where it is not there. The live one also needs an index that names something
/// (Error(refused), unless allowed), and nothing that is missing (Error(not_found)) or elsewhere
/// (Error(untrusted)); unless the policy names documents.
Metadata open_generation(const Repository& repository, const std::string& generation,
                         const ReferencePolicy& policy);

/// Every document of a generation that the policy asks for, whole and trusted, one form at a time.
/// Error(untrusted) for one that is unsigned where a verifier is given, or changed while it was
/// read; Error(not_found) for one that the policy names.
void for_each_document(const Metadata& metadata, const ReferencePolicy& policy,
                       const std::function<void(base::File& file)>& visit);

/// Error(refused) for a live generation that names no file at all, unless allowed.
void require_some(const Metadata& metadata, const ReferencePolicy& policy, std::size_t seen);

/// When a kept generation stopped being the live one: its successor's `updated` (or, without a
/// readable one, the time its index was written).
base::Time replaced_at(const Repository& repository, const std::string& generation);

}  // namespace sstream

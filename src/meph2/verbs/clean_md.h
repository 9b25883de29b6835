#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sstream/publish/publication.h"

namespace meph2 {

struct CleanMdOptions {
  std::string target;                ///< a data directory, or a document below its streams/v1
  std::vector<std::string> filters;  ///< which versions may go: those with an item that matches
  std::optional<std::uint64_t> max;  ///< versions of each product that stay, newest first
  std::optional<std::chrono::seconds>
      older_than;  ///< by the date that a version's name begins with
  std::optional<std::uint64_t>
      free;                    ///< only so many, the oldest first, that these bytes become free
  std::uint64_t min_keep = 1;  ///< of each product, whatever the rest says
  std::string keyring;         ///< set: the stream must be signed by one of its keys
  std::set<std::string> allow_drop;  ///< products that go when they have no version left
  sstream::PublishOptions publish;
};

struct CleanedVersion {
  std::string content_id;
  std::string product;
  std::string version;

  auto operator<=>(const CleanedVersion&) const = default;
};

struct CleanMdResult {
  std::vector<CleanedVersion> removed;
  std::vector<CleanedVersion> held;  ///< would have gone, but for a hold
  std::vector<std::string> dropped;  ///< products
  std::uint64_t freed = 0;           ///< bytes of data files that nothing live names any more
  sstream::PublishResult published;
};

/// Takes old versions out of the metadata; the files stay, for the janitor. A version goes when
/// each criterion that was given says so. Each content id is judged by itself. Error(usage) without
/// a criterion; Error(refused) when `free` cannot be reached.
CleanMdResult clean_md(const CleanMdOptions& options, const sstream::Context& context);

}  // namespace meph2

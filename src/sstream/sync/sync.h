#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sstream/source/content_source.h"
#include "sstream/sync/hooks.h"

namespace sstream {

/// How load_products says what the target has.
enum class LoadFormat : std::uint8_t {
  list,  ///< lines "PRODUCT VERSION"
  json,  ///< a document like products:1.0
};

struct SyncOptions {
  std::string source;               ///< directory, document or URL
  std::optional<std::string> path;  ///< of the first document, below `source`
  std::optional<std::size_t> max;   ///< the newest versions of each product
  bool keep = false;                ///< versions that left the source stay, as long as `max` allows
  bool delete_filtered = false;     ///< the target's versions that filter_version does not want go
  bool delete_products = false;     ///< the target's products that the source lacks go
  bool download = true;             ///< hand items over as files
  LoadFormat format = LoadFormat::list;
  TrustOptions trust;
  std::string state;  ///< directory that remembers what was seen of the source; empty: nothing
};

struct SyncResult {
  std::size_t items = 0;     ///< handed to insert_item
  std::size_t versions = 0;  ///< inserted
  std::size_t removed = 0;   ///< versions
};

/// Brings a target that only the hooks know up to date with a source: asks what it has, and tells
/// what to insert and to remove, in the order of the established tool (docs/format.md 2.7). Item
/// files are verified before a hook sees them, and are gone after it. In memory there is one
/// version, and the names of all. A hook that fails ends it: Error(failed); what was done stays
/// done.
SyncResult sync(const SyncOptions& options, const Hooks& hooks, const Context& context);

}  // namespace sstream

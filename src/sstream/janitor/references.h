#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "sstream/format/product_tree.h"
#include "sstream/janitor/documents.h"

namespace sstream {

/// One place where a generation names a data file. Valid during the call that it is handed to.
struct Reference {
  std::string_view path;  ///< below the repository, in its one spelling (normal_path)
  std::optional<std::uint64_t> size;
  std::string_view sha256;      ///< empty: not promised
  std::string_view generation;  ///< empty: the live one, else the name of a kept one
  const Item* item = nullptr;   ///< who names it, tags inherited
};

/// Visits every item of every products file that names a data file, in little memory, in the order
/// of generations_of(). Throws when any of it cannot be trusted to be whole: Error(not_found)
/// without streams/v1, an index or a file that the index names; Error(untrusted) for a document
/// that does not parse, is unsigned where a verifier is given, whose path leads out, or that
/// changed while it was read; Error(refused) where the live generation names no file at all.
void for_each_reference(const Repository& repository, const ReferencePolicy& policy,
                        const std::function<void(const Reference& reference)>& visit);

}  // namespace sstream

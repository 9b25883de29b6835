#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace sstream {

/// The name of an item inside one products file; version and item may be empty, for a product or a
/// version.
struct Pedigree {
  std::string product;
  std::string version = {};
  std::string item = {};

  auto operator<=>(const Pedigree&) const = default;

  /// "product/version/item", as far as it goes.
  std::string text() const {
    return product + (version.empty() ? "" : "/" + version) + (item.empty() ? "" : "/" + item);
  }
};

/// Why `name` cannot name a content id, product, version or item, or nullptr if it can: it has to
/// be fit for a file name and for a line of a report. (The established tools take anything, and
/// `../../x` as a content id leaves the mirror.)
const char* bad_name_reason(std::string_view name);

}  // namespace sstream

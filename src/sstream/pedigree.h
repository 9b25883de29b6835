#pragma once

#include <compare>
#include <string>

namespace sstream {

/// The name of an item inside one products file; version and item may be empty, for a product or a
/// version.
struct Pedigree {
  std::string product;
  std::string version;
  std::string item;

  auto operator<=>(const Pedigree&) const = default;

  /// "product/version/item", as far as it goes.
  std::string text() const {
    return product + (version.empty() ? "" : "/" + version) + (item.empty() ? "" : "/" + item);
  }
};

}  // namespace sstream

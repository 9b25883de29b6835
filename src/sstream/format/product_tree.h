#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json/json.h"
#include "sstream/format/pedigree.h"

namespace sstream {

using io::Json;
using Tags = std::map<std::string, std::string>;

/// An item seen through its products file: its own tags and the inherited ones. A view: the nodes
/// must outlive it.
class Item {
 public:
  Item(const Pedigree& pedigree, const Json& top, const Json& product, const Json& version,
       const Json& item);

  const Pedigree& pedigree() const { return *pedigree_; }

  /// Scalar of the deepest level that has it, as Python's str() prints it ("True", "38", "1.5");
  /// the names product_name, version_name and item_name give the pedigree (items cannot spoof
  /// them).
  std::optional<std::string> tag(std::string_view name) const;

  /// The item's own object.
  const Json& node() const { return *item_; }

  /// The value of the deepest level that has the key at all, whatever its type; nullptr without
  /// one.
  const Json* find(std::string_view name) const;

  /// All scalars, inherited, with the three names (docs/format.md 1.4).
  Tags tags() const;

  /// The objects that tags come from: top, product, version, item.
  std::array<const Json*, 4> levels() const { return {top_, product_, version_, item_}; }

  /// The tag `path`, checked: nullopt without one, Error(untrusted) for one that is no string, is
  /// unsafe, or lies where metadata and private files are (streams/, .data/).
  std::optional<std::string> path() const;

 private:
  const Pedigree* pedigree_;
  const Json* top_;
  const Json* product_;
  const Json* version_;
  const Json* item_;
};

enum class Aliases : std::uint8_t { expanded, kept };

/// products:1.0 (docs/format.md 1.3): a JSON tree with names for its levels. Unknown keys and JSON
/// types survive.
class ProductTree {
 public:
  /// Checks `format`, `content_id` and that products, versions and items are objects;
  /// Error(untrusted) "NAME: /pointer: reason". Reading a stream expands its _aliases; editing one
  /// keeps them as they are.
  ProductTree(Json json, std::string name, Aliases aliases = Aliases::expanded);
  ProductTree(const ProductTree&) = default;
  ProductTree& operator=(const ProductTree&) = default;
  ProductTree(ProductTree&&) noexcept = default;
  ProductTree& operator=(ProductTree&&) noexcept = default;

  ~ProductTree() { io::discard(json_); }

  /// A new, empty tree.
  static ProductTree make(const std::string& content_id, const std::string& datatype);

  static ProductTree parse(std::string_view text, const std::string& name);

  const std::string& name() const { return name_; }

  std::string content_id() const;
  std::string datatype() const;
  std::string updated() const;
  void set_updated(const std::string& stamp);

  const Json& json() const { return json_; }

  Json& json() { return json_; }

  const Json& products() const { return json_.at("products"); }

  Json& products() { return json_.at("products"); }

  /// nullptr where there is none.
  const Json* product(const std::string& product) const;
  const Json* version(const std::string& product, const std::string& version) const;
  const Json* item(const Pedigree& pedigree) const;

  /// The item with what it inherits; nullopt where there is none. It points to the pedigree.
  std::optional<Item> view(const Pedigree& pedigree) const;
  std::optional<Item> view(Pedigree&& pedigree) const = delete;

  /// Newest first: descending by byte (docs/format.md 1.5).
  std::vector<std::string> versions(const std::string& product) const;

  /// Makes what is missing above, replaces the node whole (docs/format.md 2.2).
  void set(const Pedigree& pedigree, Json node);
  /// Removes the node; absent is fine. Parents stay.
  void remove(const Pedigree& pedigree);
  /// Drops empty items, versions without items, products without versions; returns the names of the
  /// products that went. `products` itself stays (docs/format.md 2.2: the established tools drop it
  /// when empty; a file without it cannot be read by anybody).
  std::vector<std::string> prune();

  /// In document order, versions ascending as stored.
  void for_each_item(const std::function<void(const Item& item)>& visit) const;
  /// Those of one version, in document order; none where there is no such version.
  void for_each_item_of(const std::string& product, const std::string& version,
                        const std::function<void(const Item& item)>& visit) const;

  std::size_t version_count() const;

 private:
  Json json_;
  std::string name_;
};

/// A level's scalars only: what a version or a product hands down.
Json scalars_of(const Json& node);

/// Checks the head of a products file: `format`, `content_id`, the types of `datatype` and
/// `updated`. Error(untrusted) as ProductTree's.
void require_products_head(const Json& top, const std::string& name);

/// Checks that `version` (of that pedigree) is an object whose items are well named objects.
void require_version(const Json& version, const Pedigree& pedigree, const std::string& name);

/// Two items that name one path must promise the same content: one of them lies otherwise.
/// Error(untrusted) naming both.
void require_one_content_per_path(const ProductTree& tree);

/// How Python's str() prints a JSON scalar; nullopt for null, arrays and objects.
std::optional<std::string> scalar_text(const Json& value);

}  // namespace sstream

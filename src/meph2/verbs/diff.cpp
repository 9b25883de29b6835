#include "meph2/verbs/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/supply/channel.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

using sstream::Json;
using sstream::Pedigree;
using sstream::ProductTree;

/// One stream of one side.
struct Side {
  ProductTree tree;
  std::string label;                            ///< of the stream
  std::string name;                             ///< what the result calls it
  std::map<std::string, std::string> products;  ///< bare name -> name
};

const Json::object_t& members(const Json* node, const char* key) {
  static const Json::object_t none;
  if (node == nullptr) {
    return none;
  }
  const auto found = node->find(key);
  return found == node->end() || !found->is_object() ? none
                                                     : found->get_ref<const Json::object_t&>();
}

/// A tag of a whole product.
struct ProductTag {
  Json value;           ///< null: it has none
  bool varies = false;  ///< its versions do not agree
};

/// The product's own tag, or else what all below it agree on: which level a tag stands on says
/// nothing (a product of one version has all of them on top).
ProductTag tag_of(const Json& product, const std::string& key) {
  if (const auto own = product.find(key); own != product.end()) {
    return {*own, false};
  }
  ProductTag tag;
  bool first = true;
  const auto meet = [&](const Json& value) {
    tag.varies = tag.varies || (!first && value != tag.value);
    tag.value = value;
    first = false;
  };
  for (const auto& [version, node] : members(&product, "versions")) {
    if (const auto own = node.find(key); own != node.end()) {
      meet(*own);
      continue;
    }
    for (const auto& [name, item] : members(&node, "items")) {
      const auto own_item = item.find(key);
      meet(own_item == item.end() ? Json() : *own_item);
    }
  }
  return tag;
}

/// Compares one stream that both sides have.
class StreamDiff {
 public:
  StreamDiff(const DiffOptions& options, const Side& source, const Side& target)
      : options_(options),
        source_(source),
        target_(target),
        same_top_(handed_down(source.tree) == handed_down(target.tree)) {}

  Json run() const {
    auto result = Json::object();
    std::set<std::string> names;
    for (const auto* side : {&source_, &target_}) {
      for (const auto& [bare, name] : side->products) {
        names.insert(bare);
      }
    }
    for (const auto& bare : names) {
      const auto here = source_.products.find(bare);
      const auto there = target_.products.find(bare);
      if (here == source_.products.end()) {
        result[bare]["labels"] = labels(target_, source_);
      } else if (there == target_.products.end()) {
        result[bare]["labels"] = labels(source_, target_);
      } else if (auto differences = compare(here->second, there->second); !differences.empty()) {
        result[bare] = std::move(differences);
      }
    }
    return result;
  }

 private:
  Json labels(const Side& has, const Side& lacks) const {
    auto labels = Json::array({has.name});
    if (options_.promote) {
      labels.push_back(lacks.name);
    }
    return labels;
  }

  Json both(const Json& ours, const Json& theirs) const {
    return {{source_.name, ours}, {target_.name, theirs}};
  }

  Json compare(const std::string& here, const std::string& there) const {
    const auto& ours = *source_.tree.product(here);
    const auto& theirs = *target_.tree.product(there);
    auto differences = Json::object();
    std::set<std::string> keys;
    for (const auto* product : {&ours, &theirs}) {
      for (const auto& [key, value] : product->items()) {
        keys.insert(key);
      }
    }
    keys.erase("versions");
    bool plain = same_top_;
    for (const auto& key : keys) {
      const auto a = tag_of(ours, key);
      const auto b = tag_of(theirs, key);
      plain = plain && !a.varies && !b.varies;
      if (!a.varies && !b.varies && a.value != b.value && !is_own_label(key, a.value, b.value)) {
        differences[key] = both(a.value, b.value);
      }
    }
    if (auto versions = compare_versions(here, there, differences, plain); !versions.empty()) {
      differences["versions"] = std::move(versions);
    }
    return differences;
  }

  /// Each side carries its own stream's label: that is no difference.
  bool is_own_label(const std::string& key, const Json& ours, const Json& theirs) const {
    return key == "label" && (ours.is_null() || ours == source_.label) &&
           (theirs.is_null() || theirs == target_.label);
  }

  /// `plain`: versions that are equal as they stand inherit equal tags, but for the `known`
  /// differences.
  Json compare_versions(const std::string& here, const std::string& there, const Json& known,
                        bool plain) const {
    auto result = Json::object();
    const auto& ours = members(source_.tree.product(here), "versions");
    const auto& theirs = members(target_.tree.product(there), "versions");
    for (const auto& [version, node] : ours) {
      if (const auto other = theirs.find(version); other == theirs.end()) {
        result[version]["labels"] = labels(source_, target_);
      } else if (!options_.new_versions_only && !(plain && node == other->second)) {
        compare_items({here, version}, {there, version}, known, result);
      }
    }
    if (!options_.new_versions_only) {
      for (const auto& [version, node] : theirs) {
        if (!ours.contains(version)) {
          result[version]["labels"] = labels(target_, source_);
        }
      }
    }
    if (options_.latest_only && !result.empty()) {
      const auto newest = std::prev(result.end());
      auto latest = Json::object();
      latest[newest.key()] = *newest;
      return latest;
    }
    return result;
  }

  /// Of a version that both have.
  void compare_items(const Pedigree& here, const Pedigree& there, const Json& known,
                     Json& result) const {
    const auto& ours = members(source_.tree.version(here.product, here.version), "items");
    const auto& theirs = members(target_.tree.version(there.product, there.version), "items");
    auto items = Json::object();
    for (const auto& [name, node] : ours) {
      if (!theirs.contains(name)) {
        items[name]["labels"] = Json::array({source_.name});
      } else if (auto tags = compare_tags({here.product, here.version, name},
                                          {there.product, there.version, name}, known);
                 !tags.empty()) {
        items[name] = std::move(tags);
      }
    }
    for (const auto& [name, node] : theirs) {
      if (!ours.contains(name)) {
        items[name]["labels"] = Json::array({target_.name});
      }
    }
    if (!items.empty()) {
      result[here.version] = {{"items", std::move(items)},
                              {"labels", Json::array({source_.name, target_.name})}};
    }
  }

  /// What the two say of an item beyond the differences of their products, which are `known`.
  Json compare_tags(const Pedigree& here, const Pedigree& there, const Json& known) const {
    const auto ours = sstream::tags_of(source_.tree, here);
    const auto theirs = sstream::tags_of(target_.tree, there);
    auto result = Json::object();
    if (ours == theirs) {
      return result;
    }
    const auto value = [](const Json& tags, const std::string& key) {
      const auto found = tags.find(key);
      return found == tags.end() ? Json() : *found;
    };
    for (const auto* tags : {&ours, &theirs}) {
      for (const auto& [key, unused] : tags->items()) {
        const auto a = value(ours, key);
        const auto b = value(theirs, key);
        if (a != b && !known.contains(key) && !is_own_label(key, a, b)) {
          result[key] = both(a, b);
        }
      }
    }
    return result;
  }

  /// The tags at the top of a document that items inherit.
  static Json handed_down(const ProductTree& tree) {
    auto tags = Json::object();
    for (const auto& [key, value] : tree.json().items()) {
      if (key != "products" && key != "label" && key != "content_id" && key != "updated" &&
          key != "_aliases") {
        tags[key] = value;
      }
    }
    return tags;
  }

  const DiffOptions& options_;
  const Side& source_;
  const Side& target_;
  bool same_top_;
};

/// The streams on offer, by their bare content ids.
std::map<std::string, sstream::IndexEntry> streams_of(sstream::ContentSource& source) {
  std::map<std::string, sstream::IndexEntry> streams;
  for (const auto& entry : source.entries()) {
    const auto bare = split_label(entry.content_id).bare;
    const auto [there, added] = streams.emplace(bare, entry);
    if (!added) {
      throw base::Error(
          base::Errc::conflict,
          base::cat(source.base(), ": ", there->second.content_id, " and ", entry.content_id,
                    " differ in their label only: name the file of one of them"));
    }
  }
  return streams;
}

Side read_side(sstream::ContentSource& source, const sstream::IndexEntry& entry) {
  Side side{source.read(entry), split_label(entry.content_id).label, {}, {}};
  side.name = side.label;
  for (const auto& [product, node] : side.tree.products().items()) {
    side.products.emplace(bare_product(product, side.label), product);
  }
  return side;
}

Json compare_streams(const DiffOptions& options, sstream::ContentSource& source,
                     const sstream::IndexEntry& ours, sstream::ContentSource& target,
                     const sstream::IndexEntry& theirs) {
  auto here = read_side(source, ours);
  auto there = read_side(target, theirs);
  if (here.label == there.label) {
    here.name += ":source";
    there.name += ":target";
  }
  return StreamDiff(options, here, there).run();
}

}  // namespace

Json diff(const DiffOptions& options, const sstream::Context& context) {
  auto source = sstream::ContentSource::open(options.source, options.trust, context);
  auto target = sstream::ContentSource::open(options.target, options.trust, context);
  const auto ours = streams_of(source);
  const auto theirs = streams_of(target);
  auto result = Json::object();
  const auto not_merged = [&](const sstream::IndexEntry& entry) {
    return Json{{"not_merged", Json::array({split_label(entry.content_id).label})}};
  };
  for (const auto& [bare, entry] : ours) {
    base::check_stop(context.stop);
    const auto other = theirs.find(bare);
    auto differences = other == theirs.end()
                           ? not_merged(entry)
                           : compare_streams(options, source, entry, target, other->second);
    if (!differences.empty()) {
      result[bare + ".json"] = std::move(differences);
    }
  }
  for (const auto& [bare, entry] : theirs) {
    if (!ours.contains(bare)) {
      result[bare + ".json"] = not_merged(entry);
    }
  }
  return result;
}

}  // namespace meph2

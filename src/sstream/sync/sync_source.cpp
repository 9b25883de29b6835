#include "sstream/sync/sync_source.h"

#include <algorithm>

namespace sstream {

namespace {

const Json& nothing() {
  static const Json none = Json::object();
  return none;
}

/// A product's or version's own tags stay when nothing is left below: only what had items and has
/// none any more is gone.
bool is_empty(const Json& version) {
  const auto items = version.find("items");
  return items == version.end() || items->empty();
}

}  // namespace

Tags hook_tags(const Pedigree& pedigree, const Json& top, const Json& product, const Json* version,
               const Json* item) {
  auto tags = Item(pedigree, top, product, version != nullptr ? *version : nothing(),
                   item != nullptr ? *item : nothing())
                  .tags();
  if (pedigree.item.empty()) {
    tags.erase("item_name");
  }
  if (pedigree.version.empty()) {
    tags.erase("version_name");
  }
  if (pedigree.product.empty()) {
    tags.erase("product_name");
  }
  return tags;
}

SyncSource::SyncSource(base::File& document, const Hooks& hooks)
    : hooks_(&hooks), spool_("versions of a source") {
  visit_versions(document, *this);
  std::vector<std::string> bare;
  for (auto at = tags_.begin(); at != tags_.end();) {
    const bool listed = versions_.contains(at->first);
    const bool had_versions =
        listed && std::find(products_.begin(), products_.end(), at->first) == products_.end();
    if (!listed) {
      bare.push_back(at->first);
    }
    at = had_versions ? tags_.erase(at) : std::next(at);
  }
  products_.insert(products_.end(), bare.begin(), bare.end());
}

void SyncSource::head(const ProductTree& tags) {
  top_ = scalars_of(tags.json());
  for (const auto& [product, node] : tags.products().items()) {
    tags_.emplace(product, scalars_of(node));
  }
}

void SyncSource::version(const Pedigree& version, const Json& /*product*/, const Json& node) {
  auto& kept = versions_[version.product];  // also where nothing of it is kept
  const auto& product = tags_.at(version.product);
  auto left = node;
  if (!is_empty(node)) {
    for (const auto& [name, item] : node.at("items").items()) {
      const Pedigree pedigree{version.product, version.version, name};
      static_cast<void>(Item(pedigree, top_, product, node, item).path());
      if (!hooks_->wants("filter_item", subject(pedigree, &node, &item))) {
        left.at("items").erase(name);
      }
    }
    if (is_empty(left)) {
      return;
    }
  }
  if (kept.empty()) {
    products_.push_back(version.product);
  }
  kept[version.version] = spool_.add(io::to_text(left));
}

std::vector<std::string> SyncSource::versions(const std::string& product) const {
  std::vector<std::string> names;
  if (const auto found = versions_.find(product); found != versions_.end()) {
    for (const auto& [name, piece] : found->second) {
      names.push_back(name);
    }
  }
  return names;
}

Json SyncSource::version(const std::string& product, const std::string& version) {
  return io::parse_json(spool_.piece(versions_.at(product).at(version)), "versions of a source");
}

HookSubject SyncSource::subject(const Pedigree& pedigree, const Json* version,
                                const Json* item) const {
  const auto product = tags_.find(pedigree.product);
  const auto& tags = product != tags_.end() ? product->second : nothing();
  const auto name = pedigree.product.empty() ? top_.value("content_id", std::string("a stream"))
                                             : pedigree.text();
  return {name, hook_tags(pedigree, top_, tags, version, item), {}};
}

}  // namespace sstream

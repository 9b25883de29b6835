#include "meph2/verbs/patch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "meph2/supply/channel.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

using base::Errc;
using sstream::Json;
using sstream::ProductTree;

[[noreturn]] void fail(Errc code, const std::string& where, const std::string& why) {
  throw base::Error(code, base::cat(where, ": ", why));
}

/// A stream with the bare names of its products.
struct Stream {
  ProductTree tree;
  std::string label;

  std::map<std::string, std::string> matching(const ProductPatch& patch) const {
    std::map<std::string, std::string> found;
    for (const auto& [product, node] : tree.products().items()) {
      const auto bare = bare_product(product, label);
      if (patch.matches(bare)) {
        found.emplace(bare, product);
      }
    }
    return found;
  }

  /// The product of that bare name; empty where there is none.
  std::string named(const std::string& bare) const {
    const auto usual = labelled_product(bare, label);
    if (tree.product(usual) != nullptr) {
      return usual;
    }
    return tree.product(bare) != nullptr ? bare : std::string();
  }
};

/// What can be added, read once.
class Source {
 public:
  Source(const PatchOptions& options, const sstream::Context& context)
      : memory_(options.target),
        origin_(sstream::ContentSource::open(options.source, options.trust, context, &memory_)) {
    std::set<std::string> named;
    for (const auto& patch : options.patches) {
      named.insert(patch.name);
    }
    for (const auto& entry : origin_.entries()) {
      const auto id = split_label(entry.content_id);
      if (!named.contains(id.bare + ".json")) {
        continue;
      }
      const auto [there, added] =
          streams_.emplace(id.bare + ".json", Stream{origin_.read(entry), id.label});
      if (!added) {
        throw base::Error(Errc::conflict, base::cat(options.source, ": two streams are ", id.bare,
                                                    ": name the file of one of them"));
      }
    }
  }

  const Stream* stream(const std::string& name) const {
    const auto found = streams_.find(name);
    return found == streams_.end() ? nullptr : &found->second;
  }

  std::string locate(const std::string& path) const { return origin_.locate(path); }

  void remember(bool published) { memory_.save_after(published); }

 private:
  sstream::SourceMemory memory_;
  sstream::ContentSource origin_;
  std::map<std::string, Stream> streams_;
};

/// Applies the patches of one stream to its tree.
class StreamChange {
 public:
  StreamChange(Stream& target, const Source* source, const StreamPatch& patch, sstream::Plan& plan,
               PatchResult& result)
      : target_(target),
        source_(source),
        supply_(source == nullptr ? nullptr : source->stream(patch.name)),
        plan_(plan),
        result_(result) {}

  void apply(const ProductPatch& patch) {
    auto here = target_.matching(patch);
    const bool wanted = patch.labels && has_label(*patch.labels, target_.label);
    if (patch.labels && !wanted) {
      for (const auto& [bare, product] : here) {
        change(base::cat("Deleting product ", product));
        target_.tree.remove({product});
      }
      return;  // nothing to delete is what an earlier run left
    }
    if (wanted) {
      add_products(patch, here);
    }
    if (here.empty()) {
      fail(Errc::not_found, patch.where,
           base::cat("no product of ", target_.tree.name(), " is '", patch.pattern, "'"));
    }
    for (const auto& [bare, product] : here) {
      set_tags(patch, product);
    }
    for (const auto& [version, labels] : patch.versions) {
      apply_version(patch, version, has_label(labels, target_.label), here);
    }
  }

  bool changed() const { return changed_; }

  bool grafted() const { return grafted_; }

 private:
  void change(std::string line) {
    result_.changes.push_back(std::move(line));
    changed_ = true;
  }

  /// Products that match in the source and are not here.
  void add_products(const ProductPatch& patch, std::map<std::string, std::string>& here) {
    if (source_ == nullptr) {
      if (here.empty()) {
        fail(Errc::failed, patch.where, "a source must be given when adding a new product");
      }
      return;
    }
    const auto there =
        supply_ == nullptr ? std::map<std::string, std::string>() : supply_->matching(patch);
    for (const auto& [bare, product] : there) {
      if (here.contains(bare)) {
        continue;
      }
      const auto name = labelled_product(bare, target_.label);
      change(base::cat("Adding product ", name));
      std::vector<std::string> versions = supply_->tree.versions(product);
      std::reverse(versions.begin(), versions.end());
      add(product, name, versions);
      here.emplace(bare, name);
    }
  }

  void set_tags(const ProductPatch& patch, const std::string& product) {
    for (const auto& [key, by_label] : patch.tags) {
      auto value = by_label.find(target_.label);
      if (value == by_label.end()) {
        value = by_label.find(target_.label + ":target");
      }
      if (value != by_label.end()) {
        set_tag(product, key, value->second);
      }
    }
  }

  /// On the product, and nowhere below it: there it would hide the new value.
  void set_tag(const std::string& product, const std::string& key, const Json& value) {
    auto& node = target_.tree.products().at(product);
    const auto before = node.contains(key) ? node.at(key) : Json();
    bool below = false;
    for (auto& version : node["versions"]) {
      below = version.erase(key) > 0 || below;
      if (const auto items = version.find("items"); items != version.end()) {
        for (auto& item : *items) {
          below = item.erase(key) > 0 || below;
        }
      }
    }
    if (before == value && !below) {
      return;
    }
    value.is_null() ? static_cast<void>(node.erase(key)) : static_cast<void>(node[key] = value);
    change(base::cat("Updating key ", key, " ", sstream::scalar_text(before).value_or("None"),
                     " -> ", sstream::scalar_text(value).value_or("None"), " of ", product));
  }

  void apply_version(const ProductPatch& patch, const std::string& version, bool wanted,
                     const std::map<std::string, std::string>& here) {
    bool found = false;
    for (const auto& [bare, product] : here) {
      const bool there = target_.tree.version(product, version) != nullptr;
      if (there && !wanted) {
        change(base::cat("Deleting version ", version, " of ", product));
        target_.tree.remove({product, version});
      } else if (!there && wanted) {
        found = add_version_of(patch, bare, product, version) || found;
      }
      found = found || there || !wanted;
    }
    if (!found) {
      fail(Errc::not_found, patch.where,
           base::cat("the source has no version ", version, " of '", patch.pattern, "'"));
    }
  }

  /// false where the source lacks it.
  bool add_version_of(const ProductPatch& patch, const std::string& bare,
                      const std::string& product, const std::string& version) {
    if (source_ == nullptr) {
      fail(Errc::failed, patch.where,
           base::cat("a source must be given when adding version ", version, " to a product"));
    }
    if (supply_ == nullptr) {
      return false;
    }
    const auto theirs = supply_->named(bare);
    if (theirs.empty() || supply_->tree.version(theirs, version) == nullptr) {
      return false;
    }
    change(base::cat("Adding version ", version, " to ", product));
    add(theirs, product, {version});
    return true;
  }

  /// Versions of the source's `product` become versions of ours, `name`, with our label.
  void add(const std::string& product, const std::string& name,
           const std::vector<std::string>& versions) {
    auto picked = sstream::empty_like(supply_->tree);
    picked.json().erase("label");
    picked.set({name}, relabelled(supply_->tree, product, versions, label_of(name)));
    const Supply supply{picked, [this](const std::string& path) { return source_->locate(path); },
                        supply_->tree.name(), true};
    for (const auto& version : versions) {
      add_version(supply, {name, version}, sstream::any_item, target_.tree, plan_, result_.items);
    }
    grafted_ = true;
  }

  /// What the product calls its label, if it is there and has one.
  std::string label_of(const std::string& product) const {
    const auto* node = target_.tree.product(product);
    const auto label = node == nullptr ? Json() : node->value("label", Json());
    return label.is_string() ? label.get<std::string>() : target_.label;
  }

  Stream& target_;
  const Source* source_;
  const Stream* supply_;  ///< the same stream of the source
  sstream::Plan& plan_;
  PatchResult& result_;
  bool changed_ = false;
  bool grafted_ = false;
};

/// The stream that an entry means.
Stream target_of(const sstream::Generation& live, const StreamPatch& patch) {
  std::vector<std::string> found;
  for (const auto& [content_id, stream] : live.streams()) {
    if (stream.format == "products:1.0" && split_label(content_id).bare + ".json" == patch.name) {
      found.push_back(content_id);
    }
  }
  if (found.empty()) {
    fail(Errc::not_found, patch.where, base::cat("target stream ", patch.name, " not found"));
  }
  if (found.size() > 1) {
    fail(Errc::conflict, patch.where,
         base::cat("the target has several such streams: ", base::join(found, ", ")));
  }
  return {*live.read_tree(found.front()), split_label(found.front()).label};
}

}  // namespace

PatchResult patch(const PatchOptions& options, const sstream::Context& context) {
  if (!options.source.empty()) {
    require_other_directory(options.source, options.target);
  }
  std::optional<Source> source;
  if (!options.source.empty()) {
    source.emplace(options, context);
  }
  for (const auto& patch : options.patches) {
    if (patch.not_merged) {
      context.log.warning(
          base::cat(patch.where, ": one side lacks this stream; nothing is done about that"));
    }
    for (const auto& product : patch.products) {
      if (product.compares_items) {
        context.log.warning(base::cat(product.where, ": items differ; no patch can mend that"));
      }
    }
  }
  PatchResult result;
  const auto planner = [&](const sstream::Generation& live) {
    result.changes.clear();
    result.items.clear();
    sstream::Plan plan;
    for (const auto& patch : options.patches) {
      if (patch.products.empty()) {
        continue;
      }
      base::check_stop(context.stop);
      auto target = target_of(live, patch);
      StreamChange change(target, source ? &*source : nullptr, patch, plan, result);
      for (const auto& product : patch.products) {
        change.apply(product);
      }
      if (change.grafted()) {
        add_stream(std::move(target.tree), plan);
      } else if (change.changed()) {
        plan.streams.push_back(std::move(target.tree));
        plan.streams.back().known_to_differ = true;
      }
    }
    return plan;
  };
  result.published = publish_added(options.target, planner, options.publish, context);
  if (source && !options.publish.dry_run) {
    source->remember(result.published.changed);
  }
  return result;
}

}  // namespace meph2

#include "meph2/verbs/merge.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::Pedigree;
using sstream::ProductTree;

/// Unites one content id of the source with the target's.
class StreamMerge {
 public:
  StreamMerge(const Supply& supply, ProductTree& target, sstream::Plan& plan, AddedItems& items)
      : supply_(supply), target_(target), plan_(plan), items_(items) {}

  /// Returns whether the target has to change.
  bool run() {
    bool changed = false;
    for (const auto& [product, node] : supply_.tree.products().items()) {
      const auto versions = supply_.tree.versions(product);
      for (const auto& version : versions) {
        changed = unite({product, version}) || changed;
      }
      if (versions.empty() && target_.product(product) == nullptr) {
        target_.set({product}, node);
        changed = true;
      }
    }
    return changed;
  }

 private:
  bool unite(const Pedigree& version) {
    if (target_.version(version.product, version.version) == nullptr) {
      add_version(supply_, version, sstream::any_item, target_, plan_, items_);
      return true;
    }
    const auto difference = compare_version(supply_, version, sstream::any_item, target_);
    const auto& missing = difference.only_supply;
    if (missing.empty()) {
      return false;
    }
    add_items(
        supply_, version,
        [&](const Item& item) {
          return std::find(missing.begin(), missing.end(), item.pedigree().item) != missing.end();
        },
        plan_, items_);
    const auto united = sstream::unite_version(target_, supply_.tree, version);
    sstream::graft_version(united, version.product, version.version, target_, sstream::any_item);
    return true;
  }

  const Supply& supply_;
  ProductTree& target_;
  sstream::Plan& plan_;
  AddedItems& items_;
};

std::vector<ProductTree> read_all(sstream::ContentSource& origin) {
  std::vector<ProductTree> sources;
  for (const auto& entry : origin.entries()) {
    sources.push_back(origin.read(entry));
    sources.back().for_each_item([](const Item& item) { item.path(); });
    sstream::require_one_content_per_path(sources.back());
  }
  return sources;
}

}  // namespace

MergeResult merge(const MergeOptions& options, const sstream::Context& context) {
  if (io::is_http_url(options.source)) {
    throw base::Error(base::Errc::usage,
                      base::cat("merge ", options.source, ": works on local streams; see insert"));
  }
  require_other_directory(options.source, options.target);
  sstream::SourceMemory memory(options.target);
  auto origin = sstream::ContentSource::open(options.source, options.trust, context, &memory);
  const auto sources = read_all(origin);
  MergeResult result;
  const auto planner = [&](const sstream::Generation& live) {
    sstream::Plan plan;
    result.items.clear();
    for (const auto& source : sources) {
      auto tree = live.read_tree(source.content_id());
      const bool is_new = !tree;
      auto target = tree ? std::move(*tree) : sstream::empty_like(source);
      const Supply supply{source, [&](const std::string& path) { return origin.locate(path); },
                          source.name(), true, options.trust.allow_md5};
      if (StreamMerge(supply, target, plan, result.items).run() || is_new) {
        add_stream(std::move(target), plan);
      }
    }
    plan.details = {{"source", options.source}};
    return plan;
  };
  result.published = publish_added(options.target, planner, options.publish, context);
  if (!options.publish.dry_run) {
    memory.save_after(result.published.changed);
  }
  return result;
}

}  // namespace meph2

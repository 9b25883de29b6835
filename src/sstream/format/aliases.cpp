#include "sstream/format/aliases.h"

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace sstream {

namespace {

using io::Json;

std::size_t node_count(const Json& node) {
  std::size_t count = 1;
  if (node.is_structured()) {
    for (const auto& child : node) {
      count += node_count(child);
    }
  }
  return count;
}

class Expansion {
 public:
  explicit Expansion(const Json& aliases) : aliases_(&aliases) {}

  void expand(Json& node) {
    if (node.is_array()) {
      for (auto& element : node) {
        expand(element);
      }
    } else if (node.is_object()) {
      expand_object(node);
    }
  }

 private:
  /// Far beyond any real stream, far below what would fill a machine's memory: a small file could
  /// name a large alias at every object.
  static constexpr std::size_t most_nodes = 1'000'000;

  /// The children are expanded before anything is merged: what an alias brings is taken as it is,
  /// so that an alias that brings itself ends.
  void expand_object(Json& node) {
    std::vector<const Json*> merges;
    for (const auto& [key, value] : node.get_ref<const Json::object_t&>()) {
      if (const Json* brought = lookup(key, value); brought != nullptr) {
        merges.push_back(brought);
      }
    }
    for (auto& child : node) {
      expand(child);
    }
    for (const Json* brought : merges) {
      nodes_ += node_count(*brought);
      if (nodes_ > most_nodes) {
        throw base::Error(base::Errc::untrusted,
                          base::cat("/_aliases: expands to more than ", most_nodes, " values"));
      }
      node.update(*brought);
    }
  }

  const Json* lookup(const std::string& key, const Json& value) const {
    if (key == "_aliases" || !value.is_string() || value.get_ref<const std::string&>().empty()) {
      return nullptr;
    }
    const auto values = aliases_->find(key);
    if (values == aliases_->end() || !values->is_object()) {
      return nullptr;
    }
    const auto brought = values->find(value.get_ref<const std::string&>());
    return brought != values->end() && brought->is_object() ? &*brought : nullptr;
  }

  const Json* aliases_;
  std::size_t nodes_ = 0;
};

}  // namespace

void expand_aliases(Json& tree) {
  if (!tree.is_object() || !tree.contains("_aliases") || !tree.at("_aliases").is_object()) {
    return;
  }
  // The aliases are expanded in themselves first, each level by the originals.
  const Json originals = tree.at("_aliases");
  Json aliases = originals;
  Expansion(originals).expand(aliases);
  tree.erase("_aliases");
  Expansion(aliases).expand(tree);
  tree["_aliases"] = std::move(aliases);
}

}  // namespace sstream

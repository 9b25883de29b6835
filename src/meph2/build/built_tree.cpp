#include "meph2/build/built_tree.h"

#include <algorithm>

#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "sstream/format/condense.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

/// true when every tag of the built item is effective in the live one as well.
bool same_item(const sstream::Item& built, const sstream::Item& live, const io::Json& product) {
  const auto same = [&](const std::string& key) { return built.tag(key) == live.tag(key); };
  const auto all_same = [&](const io::Json& node) {
    return std::all_of(node.items().begin(), node.items().end(), [&](const auto& entry) {
      return !sstream::scalar_text(entry.value()) || same(entry.key());
    });
  };
  return all_same(built.node()) && all_same(product);
}

bool same_version(const sstream::ProductTree& built, const sstream::ProductTree& target,
                  const std::string& product, const std::string& version) {
  const auto* there = target.version(product, version);
  const auto& wanted = *built.version(product, version);
  if (there == nullptr ||
      there->value("items", io::Json::object()).size() != wanted.at("items").size()) {
    return false;
  }
  bool same = true;
  built.for_each_item_of(product, version, [&](const sstream::Item& item) {
    const auto other = target.view(item.pedigree());
    same = same && other && same_item(item, *other, *built.product(product));
  });
  return same;
}

}  // namespace

bool in_place(const sstream::Repository& repository, const std::string& path, std::uint64_t size) {
  const auto place = repository.place(path);
  const auto status = base::status_of(place.dirfd, place.path);
  return status && S_ISREG(status->st_mode) && static_cast<std::uint64_t>(status->st_size) == size;
}

std::optional<BuiltFiles> published_files(const std::string& repository,
                                          const sstream::Generation& live,
                                          const std::string& content_id, const BuildPlan& plan) {
  const auto tree = live.read_tree(content_id);
  if (!tree) {
    return std::nullopt;
  }
  BuiltFiles files;
  for (const auto& product : plan.products) {
    for (const auto& [name, item] : product.items) {
      const sstream::Pedigree id{product.name, plan.version_name, name};
      const auto there = tree->view(id);
      if (!there || there->node().value("path", io::Json()) != item.at("path")) {
        return std::nullopt;
      }
      files[item.at("path").get<std::string>()] = sstream::Checksums::of(*there);
    }
  }
  const sstream::Repository data(repository, sstream::Access::read);
  for (const auto& [path, sums] : files) {
    if (!in_place(data, path, sums.size)) {
      return std::nullopt;
    }
  }
  return files;
}

sstream::ProductTree tree_of(const BuildPlan& plan, const std::string& content_id,
                             const BuiltFiles& files) {
  auto tree = sstream::ProductTree::make(content_id, "image-downloads");
  for (const auto& product : plan.products) {
    tree.set({product.name}, product.tags);
    for (const auto& [name, item] : product.items) {
      auto node = item;
      if (const auto found = files.find(item.at("path").get<std::string>()); found != files.end()) {
        node["sha256"] = found->second.sha256;
        node["size"] = found->second.size;
      } else if (!node.contains("sha256")) {
        node["sha256"] = io::digest_hex(io::Algorithm::sha256, item.at("path").get<std::string>());
        node["size"] = 1;
      }
      tree.set({product.name, plan.version_name, name}, std::move(node));
    }
  }
  return tree;
}

std::vector<std::string> add_built_version(const sstream::ProductTree& built,
                                           const std::string& version_name,
                                           sstream::ProductTree& target) {
  std::vector<std::string> changed;
  for (const auto& [product, node] : built.products().items()) {
    if (!same_version(built, target, product, version_name)) {
      sstream::graft_version(built, product, version_name, target,
                             [](const sstream::Item&) { return true; });
      changed.push_back(product);
    }
  }
  return changed;
}

void settle(sstream::ProductTree& tree) {
  tree.prune();
  sstream::ready_to_publish(tree);
}

}  // namespace meph2

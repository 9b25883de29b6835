#include "meph2/cloudimg/target.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "sstream/format/graft.h"
#include "sstream/repository/repository.h"
#include "sstream/source/content_source.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::ProductTree;

/// "com.ubuntu.maas:candidate:v3:download" -> "candidate:v3": what the names of its products
/// contain.
std::string middle_of(const std::string& content_id) {
  const auto parts = base::split(content_id, ':');
  return parts.size() < 3 ? "" : base::join({parts.begin() + 1, parts.end() - 1}, ":");
}

void drop_foreign_products(ProductTree& tree, const std::string& content_id,
                           const sstream::Context& context) {
  const auto middle = middle_of(content_id);
  std::vector<std::string> foreign;
  for (const auto& [name, product] : tree.products().items()) {
    if (name.find(middle) == std::string::npos) {
      foreign.push_back(name);
    }
  }
  for (const auto& name : foreign) {
    context.log.warning(
        base::cat(tree.name(), ": product ", name, " is not of ", middle, ": left out"));
    tree.remove({name});
  }
}

/// A directory of the operator's own in which no stream has been published yet.
bool not_begun(const std::string& where) {
  if (io::is_http_url(where) || where.ends_with(".json") || where.ends_with(".sjson")) {
    return false;
  }
  return !base::exists_at(AT_FDCWD, where + "/streams/v1/index.sjson") &&
         !base::exists_at(AT_FDCWD, where + "/streams/v1/index.json");
}

bool files_in_place(const sstream::Repository& repository, const ProductTree& tree,
                    const std::string& product, const std::string& version) {
  bool any = false;
  bool all = true;
  tree.for_each_item_of(product, version, [&](const Item& item) {
    any = true;
    if (const auto path = all ? item.path() : std::nullopt) {
      const auto place = repository.place(*path);
      all = base::exists_at(place.dirfd, place.path);
    }
  });
  return any && all;
}

}  // namespace

ProductTree read_target(const std::string& where, const StreamConfig& config,
                        const sstream::Context& context) {
  if (not_begun(where)) {
    context.log.warning(base::cat(where, ": no stream there yet; taken as empty"));
    return ProductTree::make(config.content_id, "image-downloads");
  }
  // What it says decides what is built and is carried over into metadata that the operator signs or
  // does not; the established tool reads it unverified, and its signature is commonly another one
  // than the source's.
  sstream::TrustOptions unverified;
  unverified.no_verify = true;
  return base::with_context("read target", [&] {
    auto target = sstream::ContentSource::open(where, unverified, context);
    for (const auto& entry : target.entries()) {
      if (entry.content_id == config.content_id || target.entries().size() == 1) {
        auto tree = target.read(entry);
        drop_foreign_products(tree, config.content_id, context);
        tree.json()["content_id"] = config.content_id;
        return tree;
      }
    }
    throw base::Error(base::Errc::not_found,
                      base::cat(where, ": has no content ", config.content_id));
  });
}

ProductTree carried_over(const ProductTree& target, const sstream::Generation& live,
                         const std::string& repository, bool keep_all) {
  auto tree = target;
  const auto own = live.read_tree(tree.content_id());
  if (!own) {
    return tree;
  }
  const sstream::Repository data(repository, sstream::Access::read);
  for (const auto& [product, node] : own->products().items()) {
    for (const auto& version : own->versions(product)) {
      if (tree.version(product, version) == nullptr &&
          (keep_all || files_in_place(data, *own, product, version))) {
        sstream::graft_version(*own, product, version, tree, [](const Item&) { return true; });
      }
    }
  }
  return tree;
}

}  // namespace meph2

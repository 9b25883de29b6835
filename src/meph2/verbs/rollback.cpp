#include "meph2/verbs/rollback.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/format/condense.h"
#include "sstream/format/graft.h"
#include "sstream/repository/history.h"

namespace meph2 {

namespace {

using sstream::Generation;
using sstream::ProductTree;
using sstream::Repository;

std::string name_of(const RollbackOptions& options, const Repository& repository) {
  if (options.generation.empty()) {
    const auto kept = repository.kept_generations();
    if (kept.empty()) {
      throw base::Error(base::Errc::not_found,
                        base::cat(options.target, ": no earlier generation is kept"));
    }
    return kept.back();
  }
  const auto number = base::parse_decimal(options.generation);
  if (!number) {
    throw base::Error(base::Errc::usage,
                      base::cat("'", options.generation, "' is not the number of a generation"));
  }
  return sstream::generation_name(*number);
}

void require_file(const Repository& repository, const sstream::Item& item) {
  const auto path = item.path();
  if (!path) {
    return;
  }
  const auto refuse = [&](const std::string& reason) {
    throw base::Error(base::Errc::refused,
                      base::cat(item.pedigree().text(), ": ", *path, ": ", reason));
  };
  const auto size = sstream::Checksums::of(item, true).size;
  const auto place = repository.place(*path);
  const auto file = base::find_beneath(place.dirfd, place.path, O_RDONLY);
  if (!file) {
    refuse("is gone");
  }
  if (const auto there = file.size(); there != size) {
    refuse(base::cat("has ", there, " bytes, that generation promises ", size));
  }
}

void require_files(const Repository& repository, const ProductTree& tree,
                   const std::string& product) {
  tree.for_each_item([&](const sstream::Item& item) {
    if (product.empty() || item.pedigree().product == product) {
      require_file(repository, item);
    }
  });
}

/// The live tree with one product as it was; that product absent in `old`: it goes.
ProductTree with_product(ProductTree live, const ProductTree& old, const std::string& product) {
  live.remove({product});
  for (const auto& version : old.versions(product)) {
    sstream::graft_version(old, product, version, live, sstream::any_item);
  }
  sstream::ready_to_publish(live);
  return live;
}

/// All contents as they were; those that came since go.
sstream::Plan plan_all(const Repository& repository, const Generation& old,
                       const Generation& live) {
  sstream::Plan plan;
  for (const auto& entry : old.streams()) {
    auto tree = *old.read_tree(entry.first);
    require_files(repository, tree, {});
    plan.streams.push_back(std::move(tree));
  }
  for (const auto& entry : live.streams()) {
    if (!old.streams().contains(entry.first)) {
      plan.dropped.push_back(entry.first);
    }
  }
  return plan;
}

sstream::Plan plan_product(const Repository& repository, const Generation& old,
                           const Generation& live, const std::string& product) {
  sstream::Plan plan;
  bool known = false;
  for (const auto& entry : live.streams()) {
    const auto& content_id = entry.first;
    const bool was =
        old.streams().contains(content_id) && old.summary(content_id).versions.contains(product);
    const bool is = live.summary(content_id).versions.contains(product);
    known = known || was || is;
    if (was) {
      auto tree = with_product(*live.read_tree(content_id), *old.read_tree(content_id), product);
      require_files(repository, tree, product);
      plan.streams.push_back(std::move(tree));
    } else if (is) {
      auto tree = *live.read_tree(content_id);
      tree.remove({product});
      plan.streams.push_back(std::move(tree));
    }
  }
  if (!known) {
    throw base::Error(base::Errc::not_found,
                      base::cat("product ", product, " is in neither generation"));
  }
  return plan;
}

}  // namespace

RollbackResult rollback(const RollbackOptions& options, const sstream::Context& context) {
  const Repository repository(options.target, sstream::Access::read);
  RollbackResult result;
  const auto planner = [&](const Generation& live) {
    result.generation = name_of(options, repository);
    const auto old = Generation::load_kept(repository, result.generation);
    auto plan = options.product.empty() ? plan_all(repository, old, live)
                                        : plan_product(repository, old, live, options.product);
    plan.details = {{"restored", result.generation}, {"product", options.product}};
    return plan;
  };
  result.published = sstream::publish(options.target, planner, options.publish, context);
  return result;
}

}  // namespace meph2

#include "meph2/verbs/clean_md.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "sstream/format/condense.h"
#include "sstream/format/filter.h"
#include "sstream/janitor/named_paths.h"
#include "sstream/repository/holds.h"
#include "sstream/source/content_source.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::ProductTree;

/// The day at the front of a version's name; nullopt for names that begin otherwise.
std::optional<base::Time> day_of(const std::string& version) {
  const auto digits = version.substr(0, 8);
  if (!base::parse_decimal(digits) || digits.size() != 8) {
    return std::nullopt;
  }
  return base::parse_stamp(base::cat(digits.substr(0, 4), "-", digits.substr(4, 2), "-",
                                     digits.substr(6, 2), "T00:00:00+00:00"));
}

std::uint64_t size_of(const Item& item) {
  return base::parse_decimal(item.tag("size").value_or("")).value_or(0);
}

/// How many items name each data file: what a version frees is what no other one names. One number
/// an item, for there are many.
class Sharing {
 public:
  void count(const Item& item) {
    if (const auto key = key_of(item)) {
      uses_.push_back(*key);
    }
  }

  /// All are counted.
  void settle() {
    std::sort(uses_.begin(), uses_.end());
    released_.assign(uses_.size(), false);
  }

  /// Bytes that nothing names after this item as well is gone.
  std::uint64_t release(const Item& item) {
    const auto key = key_of(item);
    if (!key) {
      return 0;
    }
    const auto [first, last] = std::equal_range(uses_.begin(), uses_.end(), *key);
    const auto end = released_.begin() + (last - uses_.begin());
    const auto use = std::find(released_.begin() + (first - uses_.begin()), end, false);
    *use = true;
    return use + 1 == end ? size_of(item) : 0;
  }

 private:
  static std::optional<std::uint64_t> key_of(const Item& item) {
    const auto path = sstream::normal_path(item.tag("path").value_or(""));
    return path ? std::optional(io::fingerprint64(*path)) : std::nullopt;
  }

  std::vector<std::uint64_t> uses_;
  std::vector<bool> released_;
};

/// One plan over the live generation.
class Cleaning {
 public:
  Cleaning(const CleanMdOptions& options, const std::string& document,
           const sstream::Filters& filters, const sstream::Holds& holds, base::Time now,
           CleanMdResult& result)
      : options_(options),
        document_(document),
        filters_(filters),
        holds_(holds),
        now_(now),
        result_(result) {}

  sstream::Plan plan(const sstream::Generation& live) {
    result_.removed.clear();
    result_.held.clear();
    result_.dropped.clear();
    result_.freed = 0;
    read(live);
    auto chosen = candidates();
    if (options_.free) {
      chosen = oldest_that_free(std::move(chosen));
    } else {
      for (const auto& at : chosen) {
        result_.freed += release(at);
      }
    }
    sstream::Plan plan;
    for (auto& tree : trees_) {
      if (clean(tree, chosen)) {
        plan.streams.push_back(std::move(tree));
      }
    }
    std::sort(result_.removed.begin(), result_.removed.end());
    return plan;
  }

 private:
  /// Contents in which something may go are kept as trees; of the others only the use of files
  /// counts.
  void read(const sstream::Generation& live) {
    const auto only = document_.empty() ? std::string() : content_id_of(live);
    for (const auto& [content_id, stream] : live.streams()) {
      const bool wanted = document_.empty() || stream.file == document_;
      // Where nothing of the wanted one may go the others need not be read.
      if (stream.format != "products:1.0" ||
          !may_shrink(live, wanted ? content_id : only, wanted)) {
        continue;
      }
      auto tree = *live.read_tree(content_id);
      tree.for_each_item([&](const Item& item) { sharing_.count(item); });
      if (wanted) {
        trees_.push_back(std::move(tree));
      }
    }
    sharing_.settle();
  }

  /// Whether something may go from a content. By the numbers of versions alone, where they are all
  /// that counts: a run without work stays cheap.
  bool may_shrink(const sstream::Generation& live, const std::string& content_id,
                  bool wanted) const {
    if (options_.older_than || options_.free) {
      return true;
    }
    const auto& versions = live.summary(content_id).versions;
    return (wanted && !options_.allow_drop.empty()) ||
           std::any_of(versions.begin(), versions.end(), [&](const auto& entry) {
             return entry.second > std::max(*options_.max, options_.min_keep);
           });
  }

  std::string content_id_of(const sstream::Generation& live) const {
    for (const auto& [content_id, stream] : live.streams()) {
      if (stream.file == document_) {
        return content_id;
      }
    }
    throw base::Error(base::Errc::not_found,
                      base::cat(options_.target, ": no such products file in the stream"));
  }

  std::vector<CleanedVersion> candidates() {
    std::vector<CleanedVersion> chosen;
    for (const auto& tree : trees_) {
      for (const auto& [product, node] : tree.products().items()) {
        const auto versions = tree.versions(product);
        for (std::size_t rank = options_.min_keep; rank < versions.size(); ++rank) {
          CleanedVersion at{tree.content_id(), product, versions[rank]};
          if (!goes(at, rank) || !matches(tree, at)) {
            continue;
          }
          auto& list = holds_.find(product, at.version, now_) != nullptr ? result_.held : chosen;
          list.push_back(std::move(at));
        }
      }
    }
    return chosen;
  }

  bool goes(const CleanedVersion& at, std::size_t rank) const {
    if (options_.max && rank < *options_.max) {
      return false;
    }
    if (options_.older_than) {
      const auto day = day_of(at.version);
      return day && *day + *options_.older_than < now_;
    }
    return true;
  }

  bool matches(const ProductTree& tree, const CleanedVersion& at) const {
    if (filters_.empty()) {
      return true;
    }
    bool any = false;
    tree.for_each_item_of(at.product, at.version,
                          [&](const Item& item) { any = any || filters_.matches(item); });
    return any;
  }

  const ProductTree& tree_of(const std::string& content_id) const {
    return *std::find_if(trees_.begin(), trees_.end(),
                         [&](const auto& tree) { return tree.content_id() == content_id; });
  }

  std::uint64_t release(const CleanedVersion& at) {
    std::uint64_t freed = 0;
    tree_of(at.content_id).for_each_item_of(at.product, at.version, [&](const Item& item) {
      freed += sharing_.release(item);
    });
    return freed;
  }

  std::vector<CleanedVersion> oldest_that_free(std::vector<CleanedVersion> versions) {
    std::sort(versions.begin(), versions.end(), [](const auto& one, const auto& other) {
      return std::tie(one.version, one.content_id, one.product) <
             std::tie(other.version, other.content_id, other.product);
    });
    std::size_t count = 0;
    while (count < versions.size() && result_.freed < *options_.free) {
      result_.freed += release(versions[count++]);
    }
    if (result_.freed < *options_.free) {
      throw base::Error(base::Errc::refused,
                        base::cat(options_.target, ": only ", base::human_bytes(result_.freed),
                                  " would become free, of the ", base::human_bytes(*options_.free),
                                  " asked for; ask for less, or let more versions go"));
    }
    versions.resize(count);
    return versions;
  }

  bool clean(ProductTree& tree, const std::vector<CleanedVersion>& chosen) {
    bool changed = false;
    const std::string content_id = tree.content_id();
    for (const auto& at : chosen) {
      if (at.content_id == content_id) {
        tree.remove({at.product, at.version});
        result_.removed.push_back(at);
        changed = true;
      }
    }
    for (const auto& product : options_.allow_drop) {
      if (tree.product(product) != nullptr && tree.versions(product).empty()) {
        tree.remove({product});
        result_.dropped.push_back(product);
        changed = true;
      }
    }
    if (changed) {
      sstream::settle_product_tags(tree.json());
    }
    return changed;
  }

  const CleanMdOptions& options_;
  const std::string& document_;
  const sstream::Filters& filters_;
  const sstream::Holds& holds_;
  base::Time now_;
  CleanMdResult& result_;
  std::vector<ProductTree> trees_;
  Sharing sharing_;
};

void require_signed(const sstream::Repository& repository, const std::string& keyring,
                    const sstream::Context& context) {
  if (keyring.empty()) {
    return;
  }
  const io::Verifier verifier(io::Keyring::load(keyring), context.clock);
  sstream::for_each_named_path(repository,
                               {.verifier = &verifier, .kept = false, .allow_empty = true},
                               [](std::string_view, std::string_view) {});
}

/// The data directory, and the products file's name if it is one that is to be cleaned alone.
std::pair<std::string, std::string> split_target(const std::string& target) {
  const auto [root, path] = sstream::split_location(target);
  auto document = path.empty() ? std::string() : base::base_name(path);
  if (document.ends_with(".sjson")) {
    document.replace(document.size() - std::string_view("sjson").size(), std::string::npos, "json");
  }
  return {path.empty() ? target : root, document == "index.json" ? std::string() : document};
}

}  // namespace

CleanMdResult clean_md(const CleanMdOptions& options, const sstream::Context& context) {
  if (!options.max && !options.older_than && !options.free) {
    throw base::Error(base::Errc::usage,
                      "say how many versions stay (N or --max N), --older-than or --free");
  }
  const sstream::Filters filters(options.filters);
  const auto [root, document] = split_target(options.target);
  const std::string only = document;
  const std::string directory = root;
  CleanMdResult result;
  result.published = sstream::publish(
      directory,
      [&](const sstream::Generation& live) {
        const sstream::Repository repository(directory, sstream::Access::read);
        require_signed(repository, options.keyring, context);
        const auto holds = sstream::Holds::load(repository);
        return Cleaning(options, only, filters, holds, context.clock.now(), result).plan(live);
      },
      options.publish, context);
  return result;
}

}  // namespace meph2

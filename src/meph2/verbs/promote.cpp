#include "meph2/verbs/promote.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/supply/channel.h"
#include "meph2/supply/soak.h"
#include "sstream/format/filter.h"
#include "sstream/format/graft.h"
#include "sstream/staging/staging.h"

namespace meph2 {

namespace {

using base::Errc;
using sstream::Item;
using sstream::Json;
using sstream::Pedigree;
using sstream::ProductTree;

/// What is promoted of one content: the version only, under the names and with the label that it
/// gets.
struct Selection {
  ProductTree tree;
  std::string name;             ///< of the source's document
  std::string source_id;        ///< its content id
  std::string updated;          ///< and its stamp
  std::set<Pedigree> left_out;  ///< items that the filters do not want, by their new names
};

void require_label(const std::string& label, const sstream::Context& context) {
  const bool fit = !label.empty() && label.size() <= 64 &&
                   std::all_of(label.begin(), label.end(), [](unsigned char character) {
                     return std::isalnum(character) != 0 || character == '-' || character == '_' ||
                            character == '.' || character == '+';
                   });
  if (!fit) {
    throw base::Error(Errc::usage,
                      base::cat("label '", label, "': letters, digits, ., -, _ and + only"));
  }
  const auto& usual = usual_labels();
  if (std::find(usual.begin(), usual.end(), label) == usual.end()) {
    const auto near = base::nearest_word(label, usual);
    context.log.warning(base::cat("label '", label, "' is none of the usual ones",
                                  near ? base::cat("; is '", *near, "' meant?") : ""));
  }
}

/// Products with an item that matches, and what the filters leave out of them. (The source has the
/// version only.)
std::set<std::string> matching(const PromoteOptions& options, const sstream::Filters& filters,
                               const ProductTree& source,
                               std::map<std::string, std::set<std::string>>& left_out) {
  std::set<std::string> products;
  source.for_each_item([&](const Item& item) {
    const auto& id = item.pedigree();
    if (filters.matches(item)) {
      products.insert(id.product);
    } else {
      left_out[id.product].insert(id.item);
    }
  });
  for (const auto& product : products) {
    if (!left_out[product].empty() && !options.allow_partial) {
      throw base::Error(
          Errc::refused,
          base::cat(product, "/", options.version, ": the filters leave out a part of it (",
                    *left_out[product].begin(), "); --allow-partial if that is meant"));
    }
  }
  return products;
}

/// Chooses the version out of one content of the source.
std::optional<Selection> selection_of(const PromoteOptions& options,
                                      const sstream::Filters& filters, const ProductTree& source) {
  std::map<std::string, std::set<std::string>> left_out;
  const auto products = matching(options, filters, source, left_out);
  if (products.empty()) {
    return std::nullopt;
  }
  Selection selection{
      sstream::empty_like(source), source.name(), source.content_id(), source.updated(), {}};
  auto& picked = selection.tree;
  picked.json()["content_id"] = without_channel(source.content_id());
  picked.json().erase("label");
  for (const auto& product : products) {
    const auto name = without_channel(product);
    if (picked.product(name) != nullptr) {
      throw base::Error(Errc::conflict, base::cat(source.name(), ": ", product,
                                                  " and another product both become ", name));
    }
    picked.set({name}, relabelled(source, product, {options.version}, options.label));
    for (const auto& item : left_out[product]) {
      selection.left_out.insert({name, options.version, item});
    }
  }
  return selection;
}

/// The whole promotion: selected once, planned on every live generation it meets.
class Promotion {
 public:
  Promotion(const PromoteOptions& options, const sstream::Context& context)
      : options_(options),
        context_(context),
        memory_(options.target),
        origin_(sstream::ContentSource::open(options.source, options.trust, context, &memory_)) {}

  PromoteResult run();

 private:
  void select();
  sstream::Plan plan(const sstream::Generation& live, AddedItems& items) const;
  bool plan_selection(const Selection& selection, ProductTree& target, sstream::Plan& plan,
                      AddedItems& items) const;
  io::Json details() const;
  std::uint64_t source_generation() const;
  void require_in_place(sstream::FileList& files) const;

  const PromoteOptions& options_;
  const sstream::Context& context_;
  sstream::SourceMemory memory_;
  sstream::ContentSource origin_;
  std::vector<Selection> selections_;
};

void Promotion::select() {
  const sstream::Filters filters(options_.filters);
  for (const auto& entry : origin_.entries()) {
    const auto source = origin_.read_version(entry, options_.version);
    if (auto selection = selection_of(options_, filters, source)) {
      sstream::require_one_content_per_path(selection->tree);
      selections_.push_back(std::move(*selection));
    }
  }
  if (selections_.empty()) {
    throw base::Error(
        Errc::not_found,
        base::cat(options_.source, ": no product that matches has version ", options_.version));
  }
  if (options_.soak.count() > 0) {
    for (const auto& selection : selections_) {
      require_soaked(options_.version, selection.updated, options_.soak, context_.clock.now());
    }
  }
}

/// true when the target's metadata has to change.
bool Promotion::plan_selection(const Selection& selection, ProductTree& target, sstream::Plan& plan,
                               AddedItems& items) const {
  const Supply supply{selection.tree,
                      [this](const std::string& path) { return origin_.locate(path); },
                      selection.name, true, options_.trust.allow_md5};
  bool changed = false;
  for (const auto& [product, node] : selection.tree.products().items()) {
    const Pedigree id{product, options_.version};
    // What the target has already of a version it keeps, even where the filters leave it out.
    const Wanted wanted = [&](const Item& item) {
      return !selection.left_out.contains(item.pedigree()) ||
             target.item(item.pedigree()) != nullptr;
    };
    if (target.version(product, options_.version) != nullptr) {
      const auto difference = require_nothing_more(supply, id, wanted, target);
      if (difference.only_supply.empty() && difference.same_tags) {
        require_files(supply, id, wanted, plan);  // they are verified again
        continue;
      }
    }
    add_version(supply, id, wanted, target, plan, items);
    changed = true;
  }
  return changed;
}

/// With --skip-file-copy: the files are right, or nothing happens.
void Promotion::require_in_place(sstream::FileList& files) const {
  const sstream::Repository repository(options_.target, sstream::Access::read, true);
  const auto staged = sstream::find_missing(repository, files, context_);
  if (!staged.missing.empty()) {
    throw base::Error(Errc::not_found,
                      base::cat(options_.target, ": ", staged.missing.size(),
                                " files are not there, and --skip-file-copy brings none in: ",
                                staged.missing.files().front().path));
  }
  files = sstream::FileList();
}

/// For the history of the target. Secrets of a URL stay out of it.
io::Json Promotion::details() const {
  auto promoted = io::Json::object();
  auto updated = io::Json::object();
  auto digests = io::Json::object();
  for (const auto& selection : selections_) {
    updated[selection.source_id] = selection.updated;
    digests[selection.source_id] = origin_.digest(selection.source_id);
    selection.tree.for_each_item([&](const Item& item) {
      if (!selection.left_out.contains(item.pedigree())) {
        const auto& id = item.pedigree();
        promoted[base::cat(id.product, "/", id.version)][id.item] = item.tag("sha256").value_or("");
      }
    });
  }
  io::Json details = {{"label", options_.label},
                      {"promoted", std::move(promoted)},
                      {"source", base::redact_urls(options_.source)},
                      {"source_digest", std::move(digests)},
                      {"source_updated", std::move(updated)}};
  if (const auto generation = source_generation(); generation > 0) {
    details["source_generation"] = generation;
  }
  return details;
}

/// 0: the source is elsewhere, or was never published with our tools.
std::uint64_t Promotion::source_generation() const {
  if (!origin_.is_local()) {
    return 0;
  }
  return sstream::Repository(origin_.base(), sstream::Access::read).read_state().generation;
}

sstream::Plan Promotion::plan(const sstream::Generation& live, AddedItems& items) const {
  items.clear();
  sstream::Plan plan;
  std::map<std::string, ProductTree> targets;
  std::set<std::string> changed;
  for (const auto& selection : selections_) {
    const auto content_id = selection.tree.content_id();
    auto found = targets.find(content_id);
    if (found == targets.end()) {
      auto tree = live.read_tree(content_id).value_or(sstream::empty_like(selection.tree));
      found = targets.emplace(content_id, std::move(tree)).first;
    }
    if (plan_selection(selection, found->second, plan, items)) {
      changed.insert(content_id);
    }
  }
  for (auto& [content_id, tree] : targets) {
    if (changed.contains(content_id)) {
      add_stream(std::move(tree), plan);
    }
  }
  if (options_.skip_file_copy) {
    require_in_place(plan.files);
  }
  return plan;
}

PromoteResult Promotion::run() {
  select();
  PromoteResult result;
  result.details = details();
  result.published = publish_added(
      options_.target,
      [&](const sstream::Generation& live) {
        auto plan = this->plan(live, result.items);
        plan.details = result.details;
        return plan;
      },
      options_.publish, context_);
  if (!options_.publish.dry_run) {
    memory_.save_after(result.published.changed);
  }
  return result;
}

}  // namespace

const std::vector<std::string>& usual_labels() {
  static const std::vector<std::string> labels = {"alpha1", "alpha2", "alpha3",  "beta1", "beta2",
                                                  "beta3",  "rc",     "release", "stable"};
  return labels;
}

PromoteResult promote(const PromoteOptions& options, const sstream::Context& context) {
  if (options.version.empty()) {
    throw base::Error(Errc::usage, "the version to promote is empty");
  }
  require_label(options.label, context);
  require_other_directory(options.source, options.target);
  return Promotion(options, context).run();
}

}  // namespace meph2

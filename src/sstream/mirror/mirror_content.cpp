#include "sstream/mirror/mirror_content.h"

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/version_reader.h"
#include "sstream/format/work_plan.h"

namespace sstream {

namespace {

using Versions = std::map<std::string, std::set<std::string>>;  ///< by product

bool contains(const Versions& versions, const Pedigree& version) {
  const auto found = versions.find(version.product);
  return found != versions.end() && found->second.contains(version.version);
}

void add_version(MirroredContent& content, const Pedigree& version, const Json& product,
                 const Json& node) {
  auto& known = content.versions[version.product];
  if (known.empty()) {
    content.stream->set_product(version.product, product);
  }
  known.insert(version.version);
  content.stream->add_version(version.product, version.version, node);
}

/// What a file's place and content are, as one text.
std::string promise_of(const std::string& path, const Checksums& sums) {
  return base::cat(path, "\t", sums.size, "\t", sums.strongest().second);
}

/// What the filters say of a source's items.
class Sieve {
 public:
  explicit Sieve(const Filters& filters) : filters_(filters) {}

  void head(const ProductTree& tags) { top_ = &tags.json(); }

  /// Calls `keep(item)` for each that is wanted, and `drop(name)` for the others. Whether any is.
  template <typename Keep, typename Drop>
  bool sift(const Pedigree& version, const Json& product, const Json& node, Keep keep, Drop drop) {
    const auto items = node.find("items");
    if (items == node.end()) {
      return false;
    }
    auto id = version;
    bool any = false;
    for (const auto& [name, below] : items->items()) {
      id.item = name;
      const Item item(id, *top_, product, node, below);
      item.path();  // an unsafe one anywhere is refused
      if (filters_.matches(item)) {
        any = true;
        keep(item);
      } else {
        ++left_out;
        first_left_out = first_left_out ? first_left_out : id;
        drop(name);
      }
    }
    return any;
  }

  std::size_t left_out = 0;
  std::optional<Pedigree> first_left_out;

 private:
  const Filters& filters_;
  const Json* top_ = nullptr;
};

/// Looks at every item of a source: which versions have one that is wanted.
class Survey : public VersionVisitor {
 public:
  explicit Survey(Sieve& sieve) : sieve_(sieve) {}

  void head(const ProductTree& tags) override { sieve_.head(tags); }

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    if (sieve_.sift(
            version, product, node, [](const Item&) {}, [](const std::string&) {})) {
      wanted[version.product].insert(version.version);
    }
  }

  Versions wanted;

 private:
  Sieve& sieve_;
};

/// What the repository has of the content.
class Present : public VersionVisitor {
 public:
  explicit Present(bool with_promises) : with_promises_(with_promises) {}

  void head(const ProductTree& tags) override { top_ = &tags.json(); }

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    versions[version.product].insert(version.version);
    const auto items = node.find("items");
    if (!with_promises_ || items == node.end()) {
      return;
    }
    auto id = version;
    for (const auto& [name, below] : items->items()) {
      id.item = name;
      add(Item(id, *top_, product, node, below));
    }
  }

  Versions versions;
  PathSet promises;

 private:
  void add(const Item& item) {
    try {
      if (const auto path = item.path()) {
        promises.add(promise_of(*path, Checksums::of(item, true)));
      }
    } catch (const base::Error&) {  // promises nothing that anybody could rely on
    }
  }

  bool with_promises_;
  const Json* top_ = nullptr;
};

/// Takes the chosen versions of the source, with the wanted items.
class Take : public VersionVisitor {
 public:
  /// `chosen`: null for all that have a wanted item.
  Take(Sieve& sieve, const Versions* chosen, const MirrorOptions& options, const PathSet& promises,
       MirroredContent& result, const Want& want)
      : sieve_(sieve),
        chosen_(chosen),
        options_(options),
        promises_(promises),
        result_(result),
        want_(want) {}

  void head(const ProductTree& tags) override {
    sieve_.head(tags);
    result_.stream = std::make_unique<StreamSpool>(tags);
  }

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    if (chosen_ != nullptr && !contains(*chosen_, version)) {
      return;
    }
    std::vector<std::string> unwanted;
    const bool any = sieve_.sift(
        version, product, node, [this](const Item& item) { take(item); },
        [&](const std::string& name) { unwanted.push_back(name); });
    if (!any) {
      return;
    }
    if (unwanted.empty()) {
      add_version(result_, version, product, node);
      return;
    }
    auto part = node;
    for (const auto& name : unwanted) {
      part["items"].erase(name);
    }
    add_version(result_, version, product, part);
  }

 private:
  void take(const Item& item) {
    ++result_.items;
    if (options_.files) {
      add_file(item);
    }
  }

  void add_file(const Item& item) {
    const auto path = item.path();
    if (!path) {
      return;
    }
    FileEntry entry;
    entry.item = item.pedigree();
    entry.file.path = *path;
    entry.file.expected = Checksums::of(item, options_.trust.allow_md5);
    entry.file.known =
        !options_.verify && promises_.contains(promise_of(*path, entry.file.expected));
    entry.file.replace = true;
    want_(std::move(entry));
  }

  Sieve& sieve_;
  const Versions* chosen_;
  const MirrorOptions& options_;
  const PathSet& promises_;
  MirroredContent& result_;
  const Want& want_;
};

/// Takes over what the source has no longer.
class TakeOver : public VersionVisitor {
 public:
  TakeOver(const Versions& kept, MirroredContent& result) : kept_(kept), result_(result) {}

  void head(const ProductTree& /*tags*/) override {}

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    if (contains(kept_, version)) {
      add_version(result_, version, product, node);
    }
  }

 private:
  const Versions& kept_;
  MirroredContent& result_;
};

std::vector<std::string> names(const Versions& versions, const std::string& product) {
  const auto found = versions.find(product);
  return found == versions.end()
             ? std::vector<std::string>()
             : std::vector<std::string>(found->second.begin(), found->second.end());
}

/// Which versions the result has: of the source, and of what was there.
struct Choice {
  Versions from_source;
  Versions from_live;
};

Choice choose(const Versions& wanted, const Versions& present, const MirrorOptions& options) {
  Choice choice;
  std::set<std::string> products;
  for (const auto* side : {&wanted, &present}) {
    for (const auto& entry : *side) {
      products.insert(entry.first);
    }
  }
  for (const auto& product : products) {
    const auto source = names(wanted, product);
    const auto target = names(present, product);
    const auto work = resolve_work(source, target, options.max, options.keep);
    std::set<std::string> next(target.begin(), target.end());
    next.insert(work.add.begin(), work.add.end());
    for (const auto& version : work.remove) {
      next.erase(version);
    }
    for (const auto& version : next) {
      const bool offered = contains(wanted, {product, version});
      (offered ? choice.from_source : choice.from_live)[product].insert(version);
    }
  }
  return choice;
}

std::optional<Pedigree> first_beyond(const Versions& wanted, const Versions& chosen) {
  for (const auto& [product, versions] : wanted) {
    for (const auto& version : versions) {
      Pedigree beyond{product, version};
      if (!contains(chosen, beyond)) {
        return beyond;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

MirroredContent choose_content(base::File& source, base::File* live, const MirrorOptions& options,
                               const Filters& filters, bool ours, const Want& want) {
  Present present(ours && !options.verify);
  if (live != nullptr) {
    visit_versions(*live, present);
  }
  present.promises.seal();
  MirroredContent result;
  std::optional<Choice> choice;
  if (options.max) {  // which versions are the newest is known at the end
    Sieve sieve(filters);
    Survey survey(sieve);
    visit_versions(source, survey);
    choice = choose(survey.wanted, present.versions, options);
    result.left_out = sieve.left_out;
    result.first_left_out = sieve.first_left_out ? sieve.first_left_out
                                                 : first_beyond(survey.wanted, choice->from_source);
  }
  Sieve sieve(filters);
  Take take(sieve, choice ? &choice->from_source : nullptr, options, present.promises, result,
            want);
  visit_versions(source, take);
  if (!choice) {
    result.left_out = sieve.left_out;
    result.first_left_out = sieve.first_left_out;
  } else if (live != nullptr && !choice->from_live.empty()) {
    TakeOver take_over(choice->from_live, result);
    visit_versions(*live, take_over);
  }
  return result;
}

}  // namespace sstream

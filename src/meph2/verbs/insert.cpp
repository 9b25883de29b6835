#include "meph2/verbs/insert.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "sstream/format/filter.h"
#include "sstream/format/graft.h"
#include "sstream/format/work_plan.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::ProductTree;

/// product -> versions of the source that have at least one item that passes the filters.
using WantedVersions = std::map<std::string, std::vector<std::string>>;

WantedVersions wanted_versions(const ProductTree& source, const sstream::Filters& filters) {
  WantedVersions wanted;
  source.for_each_item([&](const Item& item) {
    item.path();  // an unsafe path anywhere in the source is refused before anything is planned
    if (!filters.matches(item)) {
      return;
    }
    auto& versions = wanted[item.pedigree().product];
    if (versions.empty() || versions.back() != item.pedigree().version) {
      versions.push_back(item.pedigree().version);
    }
  });
  return wanted;
}

/// Plans one content id of the source.
class StreamInsert {
 public:
  StreamInsert(const InsertOptions& options, sstream::ContentSource& origin,
               const ProductTree& source, const sstream::Filters& filters, InsertResult& result)
      : options_(options),
        source_(source),
        supply_{source, [&origin](const std::string& path) { return origin.locate(path); },
                source.name(), false, options.trust.allow_md5},
        filters_(filters),
        result_(result) {}

  void plan(const sstream::Generation& live, const sstream::Context& context, sstream::Plan& plan) {
    const auto wanted = wanted_versions(source_, filters_);
    if (has_all(live, wanted, context)) {
      return;
    }
    auto target = live.read_tree(source_.content_id()).value_or(sstream::empty_like(source_));
    bool changed = false;
    for (const auto& [product, versions] : wanted) {
      const auto work =
          sstream::resolve_work(versions, target.versions(product), options_.max, true);
      for (const auto& version : work.add) {
        add_version(
            supply_, {product, version}, [&](const Item& item) { return filters_.matches(item); },
            target, plan, result_.items);
        changed = true;
      }
      report_left_out(product, versions, work.add, target, context);
    }
    if (changed) {
      add_stream(std::move(target), plan);
    }
  }

 private:
  /// As nearly every night but one: the target has every version, and need not be read whole to say
  /// so. (Of a source with a long history that would be no shorter way.)
  bool has_all(const sstream::Generation& live, const WantedVersions& wanted,
               const sstream::Context& context) const {
    std::set<std::string> names;
    for (const auto& [product, versions] : wanted) {
      names.insert(versions.begin(), versions.end());
    }
    if (names.size() > options_.max) {
      return false;
    }
    const auto target = live.read_versions(source_.content_id(), names);
    const bool all = target && std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
                       return std::all_of(entry.second.begin(), entry.second.end(),
                                          [&](const std::string& version) {
                                            return target->version(entry.first, version) != nullptr;
                                          });
                     });
    if (all) {
      for (const auto& [product, versions] : wanted) {
        report_left_out(product, versions, {}, *target, context);
      }
    }
    return all;
  }

  /// The established tool leaves out without a word what is older than the newest `max`, and
  /// versions of the same name with other content.
  void report_left_out(const std::string& product, const std::vector<std::string>& versions,
                       const std::vector<std::string>& added, const ProductTree& target,
                       const sstream::Context& context) const {
    std::size_t missing = 0;
    for (const auto& version : versions) {
      const auto* there = target.version(product, version);
      const bool is_new = std::find(added.begin(), added.end(), version) != added.end();
      if (there == nullptr) {
        ++missing;
      } else if (!is_new && differs(*there, *source_.version(product, version))) {
        context.log.warning(base::cat(product, "/", version,
                                      ": the target has it with other content; left as it is"));
      }
    }
    if (missing > 0) {
      context.log.info(
          base::cat(product, ": ", missing, " older versions left out (--max ", options_.max, ")"));
    }
  }

  /// true when an item that both have differs in its digest.
  static bool differs(const io::Json& target, const io::Json& source) {
    const auto theirs = target.value("items", io::Json::object());
    for (const auto& [name, item] : source.at("items").items()) {
      const auto other = theirs.value(name, io::Json::object()).value("sha256", io::Json());
      if (!other.is_null() && other != item.value("sha256", other)) {
        return true;
      }
    }
    return false;
  }

  const InsertOptions& options_;
  const ProductTree& source_;
  Supply supply_;
  const sstream::Filters& filters_;
  InsertResult& result_;
};

}  // namespace

InsertResult insert(const InsertOptions& options, const sstream::Context& context) {
  const sstream::Filters filters(options.filters);
  sstream::SourceMemory memory(options.target);
  auto origin = sstream::ContentSource::open(options.source, options.trust, context, &memory);
  std::vector<ProductTree> sources;
  for (const auto& entry : origin.entries()) {
    sources.push_back(origin.read(entry));
    sstream::require_one_content_per_path(sources.back());
  }
  InsertResult result;
  result.published = publish_added(
      options.target,
      [&](const sstream::Generation& live) {
        result.items.clear();
        sstream::Plan plan;
        for (const auto& source : sources) {
          StreamInsert(options, origin, source, filters, result).plan(live, context, plan);
        }
        return plan;
      },
      options.publish, context);
  if (!options.publish.dry_run) {
    memory.save_after(result.published.changed);
  }
  return result;
}

}  // namespace meph2
